// SPDX-License-Identifier: Apache-2.0
//
// FileJournal: the EventStore in segment files of the sidecar's own. docs/journal-format.md has the
// bytes, and what is promised about crashes, damage and full disks.

#pragma once

#include "bus/sidecar/event_store.h"
#include "bus/sidecar/open_deliveries.h"
#include "common/io/files.h"
#include "common/io/record_log.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conga::bus {

struct FileJournalOptions {
  std::string directory;

  /// Each is allocated and zero-filled ahead. 16 KiB to 2 GiB, of whole 4 KiB; an event must fit.
  std::uint32_t segment_size = std::uint32_t{64} << 20U;

  /// Segments whose newest event is older are dropped, as long as they hold nothing pending.
  Duration retention_age = std::chrono::hours(7 * 24);

  /// The oldest segments are dropped while the journal is larger. Pending deliveries are never
  /// dropped, so a backlog can make it larger than this.
  std::uint64_t retention_bytes = std::uint64_t{8} << 30U;

  /// Recovery hands over events at least this recent, and at least so many: for the memory of
  /// recent ids.
  Duration dedup_horizon = std::chrono::minutes(10);
  std::uint64_t dedup_count = 1'000'000;

  /// Allocated room that events may not use, so that endings and retries can still be recorded on
  /// a full disk. A quarter of a segment at most.
  std::uint64_t hold_back = std::uint64_t{8} << 20U;

  /// How long endings and retries may wait for a sync if no event brings one.
  Duration sync_delay = std::chrono::milliseconds(100);

  /// At least so many of the newest bytes are kept in memory.
  std::uint64_t read_window = std::uint64_t{256} << 10U;

  /// Full segments are read ahead by a thread, which `files` must allow: RecordLogOptions.
  bool read_ahead = false;

  /// Workers for what takes the disk long; null: there are none. RecordLogOptions says more.
  DiskWorker* committer = nullptr;
  DiskWorker* filler = nullptr;
  std::size_t hand_over_size = std::size_t{32} << 10U;

  /// Opens a damaged journal: the lost records are skipped from now on.
  bool accept_damage = false;
};

class FileJournal final : public EventStore {
public:
  /// Locks the directory (made if absent; Permanent with code `Locked` names the process that has
  /// it), and tells `visitor` what is pending. Corrupt with code `DamagedJournal` as RecordLog.
  static Result<std::unique_ptr<FileJournal>> open(Files& files,
                                                   FileJournalOptions options,
                                                   WallTime now,
                                                   RecoveryVisitor& visitor);

  Result<EventRef> append(WallTime ingested,
                          std::span<const TargetName> targets,
                          std::string_view event) override;
  Result<EventRef> append_owed(WallTime ingested,
                               OwedTargets& targets,
                               std::string_view event) override;
  Result<EventRef> append_again(WallTime ingested,
                                std::span<const TargetName> targets,
                                std::string_view event) override;
  Result<> append(const SettledRecord& record) override;
  Result<> append(const RetryRecord& record) override;
  Result<> sync() override;
  Result<bool> begin_sync() override;
  Result<bool> poll_sync() override;
  Result<StoredEvent> read(const EventRef& ref) override;
  Result<std::vector<JournalEntry>> follow(std::string& cursor, std::size_t limit) override;
  std::string cursor_at(WallTime since) const override;
  void keep_from(std::span<const std::string> cursors) override;
  Result<> maintain(WallTime now) override;
  StoreStats stats() const override;

  /// What a crash or accepted damage had left, dealt with by open(): for the operator.
  const std::vector<LogDamage>& damage() const { return log_->damage(); }

private:
  /// An old segment, on its way to be dropped.
  struct Carrying {
    std::uint32_t segment = 0;
    LogReader reader;
  };

  struct Follower {
    std::string cursor;
    LogReader reader;
  };

  explicit FileJournal(FileJournalOptions options) : options_(std::move(options)) {}

  /// What an event record says besides targets and bytes.
  struct EventHead {
    Sequence sequence = 0;
    WallTime ingested;
    bool again = false;
  };

  Result<OpenDeliveries::SetId> set_of(std::span<const TargetName> targets);
  Result<EventRef> append_named(WallTime ingested,
                                std::span<const TargetName> targets,
                                std::string_view event,
                                bool again);
  Result<EventRef> append_new(WallTime ingested,
                              OpenDeliveries::SetId set,
                              std::string_view event,
                              bool again);
  Result<EventRef> append_event(const EventHead& head,
                                OpenDeliveries::SetId set,
                                std::string_view event);
  template <class Record>
  Result<> append_outcome(std::uint8_t type, const Record& record, WallTime at);
  void note_for_next_segment(WallTime time);
  Result<Follower> follower_at(std::string& cursor);
  std::uint64_t end_of(std::uint32_t segment) const;
  Result<bool> move_on(Follower& follower);
  Result<std::optional<JournalEntry>> entry_of(const LogRecord& record) const;
  bool oldest_expired(WallTime now) const;
  Result<> retire(WallTime now);
  Result<> start_carrying();
  Result<> carry_some();
  Result<> carry(const LogRecord& record);
  Result<> carry_event(const LogRecord& record);

  const FileJournalOptions options_;
  std::unique_ptr<RecordLog> log_;
  OpenDeliveries open_;
  Sequence next_sequence_ = 1;
  WallTime last_time_;
  bool must_survive_ = false;  ///< An event was appended since the last sync.
  std::optional<WallTime> dirty_since_;
  std::optional<Carrying> carrying_;
  std::optional<std::uint32_t> kept_from_;  ///< The segment that keep_from() asked to spare.
  std::vector<Follower> followers_;
  std::uint64_t events_ = 0;
  std::uint64_t unrecorded_ = 0;
};

}  // namespace conga::bus
