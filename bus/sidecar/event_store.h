// SPDX-License-Identifier: Apache-2.0
//
// EventStore: the sidecar's memory of events and of what became of their deliveries, kept so that
// no crash can break a promise. FileJournal is the embedded store; nothing above this seam knows
// about files. What is appended is durable after the next sync(), and not before.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

/// Counts accepted events from 1, without gaps that matter: later events have higher numbers.
using Sequence = std::uint64_t;

/// Where an event is: all that a pending delivery keeps in memory of it.
struct EventRef {
  Sequence sequence = 0;
  std::uint64_t position = 0;  ///< Meaningful to the store alone; may change when it is carried.

  friend auto operator<=>(const EventRef&, const EventRef&) = default;
};

/// A target of a rule, by name: the identity that survives reloads and restarts.
struct TargetName {
  std::string rule;
  std::string target;

  friend auto operator<=>(const TargetName&, const TargetName&) = default;
};

/// A list of targets that many events are owed to: the store need not read the names each time.
struct OwedTargets {
  std::vector<TargetName> names;
  /// What the store knows the list by; of no meaning to another store, or once the names change.
  std::optional<std::uint32_t> known_as = {};
};

struct StoredEvent {
  Sequence sequence = 0;
  WallTime ingested;
  std::vector<TargetName> targets;
  std::string bytes;   ///< The event as the publisher encoded it.
  bool again = false;  ///< By append_again().
};

/// How a delivery ended.
enum class Ending : std::uint8_t {
  Settled,     ///< The service answered ok.
  DeadLetter,  ///< It is in the dead-letter queue.
};

/// The last word on a delivery.
struct SettledRecord {
  Sequence sequence = 0;
  TargetName target;
  Ending ending = Ending::Settled;
  std::uint32_t attempts = 0;  ///< Made in all.
  std::string instance;        ///< Of the last attempt; empty if there was none.
  WallTime first_attempt;
  WallTime last_attempt;  ///< When the last attempt was sent.
  WallTime at;            ///< When it was settled.
  std::string code = {};  ///< Why it is a dead letter; so the next.
  std::string message = {};
};

/// A failed attempt, and when the next one is due.
struct RetryRecord {
  Sequence sequence = 0;
  TargetName target;
  std::uint32_t attempt = 0;  ///< That failed: 1 for the first.
  std::string instance;
  WallTime sent;
  WallTime failed;
  WallTime due;
  std::string code;
  std::string message;
};

/// A delivery that was accepted and has no SettledRecord: what recovery must go on with.
struct PendingDelivery {
  EventRef event;
  TargetName target;
  WallTime ingested;
  std::uint32_t attempts = 0;  ///< Failed so far.
  WallTime due;                ///< Of the next attempt; the ingest time if there was none.
  WallTime first_attempt;      ///< If attempts > 0.
  WallTime last_attempt;       ///< If attempts > 0.
  std::string last_code;       ///< If attempts > 0; so the next.
  std::string last_message;
  WallTime failed = {};  ///< If attempts > 0: when the last one had; `due` was reckoned from then.
  bool again = false;    ///< Of an event that append_again() appended.
};

/// Gives the recovered state to whoever opens the store, in sequence order, without ever holding
/// all of it.
class RecoveryVisitor {
public:
  virtual ~RecoveryVisitor() = default;

  /// Every event still in the store that was ingested at or after the store's dedup horizon: for
  /// the memory of recent ids.
  virtual void on_recent_event(std::string_view event_bytes, WallTime ingested) = 0;

  virtual void on_pending(const PendingDelivery& delivery) = 0;
};

/// One record as a follower (trace index, archive, replay) reads it.
struct JournalEntry {
  enum class Kind : std::uint8_t { Event, Settled, Retry };

  Kind kind = Kind::Event;
  EventRef ref;           ///< Kind::Event.
  StoredEvent event;      ///< Kind::Event.
  SettledRecord settled;  ///< Kind::Settled.
  RetryRecord retry;      ///< Kind::Retry.
};

struct StoreStats {
  std::uint64_t events = 0;  ///< Appended since open().
  std::uint64_t bytes = 0;   ///< On disk now.
  std::uint64_t segments = 0;
  std::uint32_t oldest_segment = 0;  ///< Its number.
  std::uint32_t low_water = 0;       ///< Segments below this one hold nothing pending.
  /// Pending deliveries whose events are in the oldest segment: it cannot be dropped before they
  /// end or are carried to a newer one.
  std::uint64_t pins = 0;
  Sequence next_sequence = 1;
  std::uint64_t syncs = 0;
  /// Endings and failed attempts that a full disk kept out: each may cost a repeat after a restart.
  std::uint64_t unrecorded = 0;
};

/// Owned by the sidecar's Node and touched by no other thread.
class EventStore {
public:
  EventStore() = default;
  EventStore(const EventStore&) = delete;
  EventStore& operator=(const EventStore&) = delete;
  virtual ~EventStore() = default;

  /// Appends "`event` is owed to each of `targets`" (none: archived only). Transient with code
  /// `JournalFull` when there is no room: nothing was appended, and later calls may succeed.
  virtual Result<EventRef> append(WallTime ingested,
                                  std::span<const TargetName> targets,
                                  std::string_view event) = 0;

  /// As append(), for a list that the caller keeps. A store that overrides this fills in
  /// `known_as`.
  virtual Result<EventRef> append_owed(WallTime ingested,
                                       OwedTargets& targets,
                                       std::string_view event) {
    return append(ingested, std::span<const TargetName>(targets.names), event);
  }

  /// As append(), for an event that the store has, or had, under another sequence and that is owed
  /// once more: to the target of a redriven dead letter, or to one that was added later.
  virtual Result<EventRef> append_again(WallTime ingested,
                                        std::span<const TargetName> targets,
                                        std::string_view event) = 0;

  /// Append what became of a delivery. They need no sync of their own: losing one costs a repeat.
  /// A full disk does not fail them (room is held back for them); an error is fatal.
  virtual Result<> append(const SettledRecord& record) = 0;
  virtual Result<> append(const RetryRecord& record) = 0;

  /// Makes everything appended so far durable: one write and one fdatasync, none if nothing that
  /// must survive was appended. An error is fatal and must never be retried: after a failed fsync
  /// the kernel may have dropped the pages (docs/journal-format.md).
  virtual Result<> sync() = 0;

  /// As sync(), but need not wait for the disk. True: all is durable. Otherwise poll_sync() says
  /// when it is, and must have said so before the next begin_sync(); what is appended meanwhile
  /// belongs to that one. sync() waits for it.
  virtual Result<bool> begin_sync() {
    if (auto synced = sync(); !synced) return synced.failure();
    return true;
  }

  /// True: what begin_sync() began is durable. An error as of sync().
  virtual Result<bool> poll_sync() { return true; }

  /// The event at `ref`, appended or recovered.
  virtual Result<StoredEvent> read(const EventRef& ref) = 0;

  /// Reads the durable records in order from `cursor` (empty: the oldest kept), at most `limit`,
  /// and moves the cursor behind them. A cursor is opaque text that survives restarts; one that
  /// points below the oldest kept record continues at the oldest.
  virtual Result<std::vector<JournalEntry>> follow(std::string& cursor, std::size_t limit) = 0;

  /// A cursor for follow() from which on everything is that was ingested at `since` or later.
  virtual std::string cursor_at(WallTime since) const = 0;

  /// Retention spares what is behind any of these cursors, until the next call.
  virtual void keep_from(std::span<const std::string> cursors) = 0;

  /// Rewrites stragglers and drops old segments as far as retention asks for; does a bounded
  /// amount of work and is called once a turn when idle.
  virtual Result<> maintain(WallTime now) = 0;

  virtual StoreStats stats() const = 0;
};

}  // namespace conga::bus
