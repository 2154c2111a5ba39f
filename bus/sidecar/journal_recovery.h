// SPDX-License-Identifier: Apache-2.0
//
// JournalRecovery: from the journal's records to what is still owed, in two passes: the first
// finds out which deliveries are open, the second hands them over in sequence order, so that
// neither holds an event.

#pragma once

#include "bus/sidecar/event_store.h"
#include "bus/sidecar/journal_format.h"
#include "bus/sidecar/open_deliveries.h"
#include "common/io/record_log.h"

#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace conga::bus {

class JournalRecovery final : public LogVisitor {
public:
  explicit JournalRecovery(OpenDeliveries& open) : open_(open) {}

  /// The first pass: RecordLog::open() calls these.
  void on_notes(const SegmentNotes& newest) override;
  Result<> on_record(const LogRecord& record) override;
  SegmentNotes notes_to_go_on(const SegmentNotes& newest) const override;

  Sequence next_sequence() const { return next_; }

  WallTime newest() const { return newest_; }

  /// Which events are recent, for the second pass.
  struct Recent {
    WallTime since;
    Sequence from = 1;
  };

  /// The second pass.
  Result<> hand_over(RecordLog& log, const Recent& recent, RecoveryVisitor& visitor);

private:
  struct Key {
    Sequence sequence = 0;
    OpenDeliveries::NameId name = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };

  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };

  /// The latest failed attempt of an open delivery.
  struct Retry {
    LogPosition position;
    std::uint32_t attempt = 0;
    WallTime first;
  };

  Result<> on_event(const LogRecord& record);
  Result<> on_carried(const LogRecord& record);
  Result<> on_settled(const LogRecord& record);
  Result<> on_retry(const LogRecord& record);
  Result<OpenDeliveries::SetId> set_of(std::string_view encoded);
  Result<> hand_over_segment(RecordLog& log,
                             const LogSegment& segment,
                             const Recent& recent,
                             RecoveryVisitor& visitor);
  Result<> hand_over_loose(RecordLog& log, Sequence before, RecoveryVisitor& visitor);
  Result<> hand_over_event(RecordLog& log,
                           const EventRef& ref,
                           const EventRecordView& event,
                           RecoveryVisitor& visitor);

  OpenDeliveries& open_;
  Sequence next_ = 1;
  Sequence last_ = 0;  ///< Of the event before.
  WallTime newest_;
  std::uint32_t low_water_ = 1;
  std::unordered_map<Key, Retry, KeyHash> retries_;
  std::vector<std::pair<Sequence, LogPosition>> loose_;
  std::size_t loose_done_ = 0;
};

}  // namespace conga::bus
