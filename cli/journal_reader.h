// SPDX-License-Identifier: Apache-2.0
//
// JournalReader: the records of a sidecar's journal, understood, for commands that read one without
// a bus. It only reads and takes no lock, so the sidecar may go on writing meanwhile.

#pragma once

#include "bus/sidecar/journal_format.h"
#include "common/core/clock.h"
#include "common/io/log_scan.h"
#include "common/wire/event/event.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::cli {

/// One record, understood as far as its type asks for. Views are into the record.
struct JournalEntry {
  LogPosition position;
  std::uint64_t commit = 0;
  std::uint64_t size = 0;  ///< On disk.
  std::uint8_t type = 0;
  bus::EventRecordView event;  ///< Of an event or carried record; so the next two.
  std::optional<EventView> view;
  std::vector<bus::TargetName> targets;
  bus::SettledRecord settled;
  bus::RetryRecord retry;
};

/// A record whose bytes are what was written, and yet make no sense.
struct Malformed {
  LogPosition position;
  std::uint64_t size = 0;
  std::string reason;
};

class JournalReader final : public LogVisitor {
public:
  using User = std::function<void(const JournalEntry&)>;

  explicit JournalReader(User user) : user_(std::move(user)) {}

  void on_notes(const SegmentNotes& newest) override { notes_ = newest; }

  /// Fails with code `Stopped` once stop_when()'s flag is set.
  Result<> on_record(const LogRecord& record) override;

  /// Only event records are handed over, without their targets: all else is passed over unread.
  void want_events_only() { events_only_ = true; }

  /// `flag` must outlive the reading.
  void stop_when(const std::atomic<bool>& flag) { stop_ = &flag; }

  const SegmentNotes& notes() const { return notes_; }

  const std::vector<Malformed>& malformed() const { return malformed_; }

private:
  User user_;
  JournalEntry entry_;  ///< Kept for its memory.
  bool events_only_ = false;
  const std::atomic<bool>* stop_ = nullptr;
  SegmentNotes notes_;
  std::vector<Malformed> malformed_;
};

/// scan_log() of all there is, oldest first. Permanent, with a sentence for people, if the
/// directory holds no journal, or one of another version.
Result<LogScan> read_journal(Files& files, const std::string& directory, JournalReader& reader);

}  // namespace conga::cli
