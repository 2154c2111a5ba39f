// SPDX-License-Identifier: Apache-2.0
//
// FakeStore and FakeDeadLetters: the sidecar's stores in memory. What they hold survives the object
// in a FakeDisk, of which a crash keeps only what was synced.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/event_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace conga::bus::testing {

using FakeRecord = std::variant<StoredEvent, SettledRecord, RetryRecord>;

/// What is on disk, and the switches with which a test makes it fail.
struct FakeDisk {
  std::vector<FakeRecord> records;
  std::size_t synced = 0;  ///< How many of the records would survive a crash.
  std::map<std::uint64_t, DeadLetter> letters;
  std::map<std::uint64_t, DeadLetter> synced_letters;
  std::uint64_t next_letter = 1;

  bool full = false;          ///< append(event) fails with JournalFull.
  bool letters_full = false;  ///< add() fails, Transient.
  bool sync_fails = false;
  std::optional<Sequence> unreadable;
  bool slow = false;              ///< What begin_sync() begins ends when this is false again.
  std::vector<std::string> kept;  ///< By keep_from().
  std::vector<std::string> log;   ///< What was done, in order: for tests of the order.

  void crash() {
    records.resize(synced);
    letters = synced_letters;
  }

  template <class Record>
  std::vector<Record> all() const {
    std::vector<Record> found;
    for (const FakeRecord& record : records) {
      if (const auto* const match = std::get_if<Record>(&record)) found.push_back(*match);
    }
    return found;
  }
};

class FakeStore final : public EventStore {
public:
  FakeStore(FakeDisk& disk, RecoveryVisitor& visitor) : disk_(disk) {
    for (const auto& event : disk.all<StoredEvent>()) {
      next_ = std::max(next_, event.sequence + 1);
      visitor.on_recent_event(event.bytes, event.ingested);
      for (const TargetName& target : event.targets) recover(event, target, visitor);
    }
  }

  Result<EventRef> append(WallTime ingested,
                          std::span<const TargetName> targets,
                          std::string_view event) override {
    return append_event(ingested, targets, event, false);
  }

  Result<EventRef> append_again(WallTime ingested,
                                std::span<const TargetName> targets,
                                std::string_view event) override {
    return append_event(ingested, targets, event, true);
  }

  Result<EventRef> append_event(WallTime ingested,
                                std::span<const TargetName> targets,
                                std::string_view event,
                                bool again) {
    if (disk_.full)
      return fail(Fault::Transient, "the journal is full: free disk space", "JournalFull");
    disk_.log.emplace_back("event");
    StoredEvent stored{.sequence = next_,
                       .ingested = ingested,
                       .targets = {targets.begin(), targets.end()},
                       .bytes = std::string(event),
                       .again = again};
    disk_.records.emplace_back(std::move(stored));
    return EventRef{next_++, disk_.records.size() - 1};
  }

  Result<> append(const SettledRecord& record) override {
    disk_.log.emplace_back(record.ending == Ending::Settled ? "settled" : "dead");
    disk_.records.emplace_back(record);
    return {};
  }

  Result<> append(const RetryRecord& record) override {
    disk_.log.emplace_back("retry");
    disk_.records.emplace_back(record);
    return {};
  }

  Result<> sync() override {
    if (disk_.sync_fails) return fail(Fault::Corrupt, "fdatasync failed", "SyncFailed");
    disk_.log.emplace_back("sync");
    disk_.synced = disk_.records.size();
    return {};
  }

  Result<bool> begin_sync() override {
    begun_ = disk_.records.size();
    return poll_sync();
  }

  Result<bool> poll_sync() override {
    if (disk_.slow) return false;
    if (disk_.sync_fails) return fail(Fault::Corrupt, "fdatasync failed", "SyncFailed");
    disk_.log.emplace_back("sync");
    disk_.synced = begun_;
    return true;
  }

  Result<StoredEvent> read(const EventRef& ref) override {
    for (const auto& event : disk_.all<StoredEvent>()) {
      if (event.sequence == ref.sequence && disk_.unreadable != ref.sequence) return event;
    }
    return fail(Fault::Corrupt, "no such event", "Damaged");
  }

  /// Cursors are positions among the records.
  Result<std::vector<JournalEntry>> follow(std::string& cursor, std::size_t limit) override {
    std::vector<JournalEntry> entries;
    std::size_t at = cursor.empty() ? 0 : std::stoul(cursor);
    for (; at < disk_.synced && entries.size() < limit; ++at) {
      JournalEntry& entry = entries.emplace_back();
      if (const auto* const event = std::get_if<StoredEvent>(&disk_.records[at])) {
        entry.event = *event;
        entry.ref = {event->sequence, at};
      } else if (const auto* const settled = std::get_if<SettledRecord>(&disk_.records[at])) {
        entry.kind = JournalEntry::Kind::Settled;
        entry.settled = *settled;
      } else if (const auto* const retry = std::get_if<RetryRecord>(&disk_.records[at])) {
        entry.kind = JournalEntry::Kind::Retry;
        entry.retry = *retry;
      }
    }
    cursor = std::to_string(at);
    return entries;
  }

  std::string cursor_at(WallTime /*since*/) const override { return "0"; }

  void keep_from(std::span<const std::string> cursors) override {
    disk_.kept.assign(cursors.begin(), cursors.end());
  }

  Result<> maintain(WallTime /*now*/) override { return {}; }

  StoreStats stats() const override {
    StoreStats stats;
    stats.events = next_ - 1;
    stats.next_sequence = next_;
    return stats;
  }

private:
  void recover(const StoredEvent& event, const TargetName& target, RecoveryVisitor& visitor) {
    PendingDelivery pending{.event = {event.sequence, 0},
                            .target = target,
                            .ingested = event.ingested,
                            .attempts = 0,
                            .due = event.ingested,
                            .first_attempt = {},
                            .last_attempt = {},
                            .last_code = {},
                            .last_message = {},
                            .failed = {},
                            .again = event.again};
    for (const auto& record : disk_.all<SettledRecord>()) {
      if (record.sequence == event.sequence && record.target == target) return;
    }
    for (const auto& record : disk_.all<RetryRecord>()) {
      if (record.sequence != event.sequence || record.target != target) continue;
      if (pending.attempts == 0) pending.first_attempt = record.sent;
      pending.last_attempt = record.sent;
      pending.attempts = record.attempt;
      pending.due = record.due;
      pending.failed = record.failed;
      pending.last_code = record.code;
      pending.last_message = record.message;
    }
    visitor.on_pending(pending);
  }

  FakeDisk& disk_;
  std::size_t begun_ = 0;
  Sequence next_ = 1;
};

class FakeDeadLetters final : public DeadLetters {
public:
  explicit FakeDeadLetters(FakeDisk& disk) : disk_(disk) {}

  Result<> add(const DeadLetter& letter) override {
    if (disk_.letters_full) return fail(Fault::Transient, "no room for dead letters", "DiskFull");
    disk_.log.emplace_back("letter");
    dirty_ = true;
    for (const auto& known : disk_.letters) {
      if (known.second.event_id == letter.event_id && known.second.target == letter.target)
        return {};
    }
    DeadLetter copy = letter;
    copy.number = disk_.next_letter++;
    disk_.letters.emplace(copy.number, copy);
    return {};
  }

  Result<> remove(std::uint64_t number) override {
    disk_.log.emplace_back("remove");
    dirty_ = true;
    disk_.letters.erase(number);
    return {};
  }

  Result<> mark_announced(std::uint64_t number) override {
    disk_.log.emplace_back("announced");
    dirty_ = true;
    const auto found = disk_.letters.find(number);
    if (found != disk_.letters.end()) found->second.announced = true;
    return {};
  }

  Result<> sync() override {
    if (!dirty_) return {};
    dirty_ = false;
    disk_.log.emplace_back("letters-sync");
    disk_.synced_letters = disk_.letters;
    return {};
  }

  Result<std::vector<DeadLetter>> list(const DeadLetterFilter& filter) override {
    std::vector<DeadLetter> found;
    for (const auto& known : disk_.letters) {
      if (found.size() < filter.limit && matches(known.second, filter))
        found.push_back(known.second);
    }
    return found;
  }

  Result<std::uint64_t> count(const DeadLetterFilter& filter) override {
    return static_cast<std::uint64_t>(
        std::count_if(disk_.letters.begin(), disk_.letters.end(), [&](const auto& known) {
          return matches(known.second, filter);
        }));
  }

  Result<std::uint64_t> count() override { return disk_.letters.size(); }

private:
  static bool agrees(const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  }

  static bool matches(const DeadLetter& letter, const DeadLetterFilter& filter) {
    const bool numbered =
        filter.numbers.empty()
        || std::count(filter.numbers.begin(), filter.numbers.end(), letter.number) > 0;
    return numbered && letter.number > filter.after && agrees(filter.rule, letter.target.rule)
           && agrees(filter.target, letter.target.target)
           && agrees(filter.event_id, letter.event_id) && (!filter.unannounced || !letter.announced)
           && agrees(filter.error_code, letter.error_code)
           && agrees(filter.correlation_id, letter.correlation_id);
  }

  FakeDisk& disk_;
  bool dirty_ = false;
};

}  // namespace conga::bus::testing
