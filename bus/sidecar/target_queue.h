// SPDX-License-Identifier: Apache-2.0
//
// TargetQueue: the deliveries that one target of one rule is owed and that no instance works on.
//
// Built for backlogs of millions: a delivery that was never tried costs 24 bytes and no allocation
// of its own, one that failed 64. max-age is the same for all of a target, so the oldest delivery
// is also the first to expire, and no delivery needs a timer of its own for it.

#pragma once

#include "bus/sidecar/event_store.h"
#include "bus/sidecar/link.h"
#include "bus/sidecar/reasons.h"
#include "common/core/clock.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace conga::bus {

/// Stands for the value of a target's ordering key; deliveries of equal keys go one after another.
/// Two values that share a hash wait for each other without need, which is harmless.
using OrderingKey = std::uint64_t;

/// The event has no such field, or the target asks for no order.
inline constexpr OrderingKey kNoKey = 0;

/// A delivery that is owed and not being worked on.
struct Pending {
  EventRef event;
  SteadyTime ingested;     ///< The wall time of ingestion, on the steady clock.
  SteadyTime due;          ///< Of the next attempt.
  WallTime first_attempt;  ///< If attempts > 0; so the next.
  WallTime last_attempt;
  OrderingKey key = kNoKey;
  Reasons::Id reason = Reasons::kNone;  ///< Of the last failure.
  std::uint16_t attempts = 0;           ///< Failed so far.
  bool asked = false;                   ///< The service asked for this due time.
};

/// Reads the key that orders an event, from its bytes, for a target that asks for order.
using KeyOf = std::function<OrderingKey(const EventRef&)>;

class TargetQueue {
public:
  /// `max_age` and `ordered` as the target's policy says now.
  void set_max_age(Duration max_age);
  void set_ordered(bool ordered);

  bool ordered() const { return ordered_; }

  /// A new delivery. Those of one target come in the order of their sequence numbers.
  void push(const EventRef& event, SteadyTime ingested);

  /// A delivery that was tried, or recovered: waits until it is due. It keeps its key: later ones
  /// of that key wait behind it.
  void push_back(SteadyTime now, Pending pending);

  /// The oldest delivery that may go now. Deliveries whose key is held step aside until it is free;
  /// nothing with has_ready() still true: many had to, go on next turn. The delivery returned holds
  /// its key until release().
  std::optional<Pending> pop(const KeyOf& key_of);

  /// A delivery of that key has ended: the next one may go. Nothing for kNoKey.
  void release(OrderingKey key);

  /// Takes hold of the key for a delivery that is in flight; used when a target begins to ask for
  /// order. False: another one holds it.
  bool hold(OrderingKey key);

  /// Finds the keys of deliveries that were tried before the target asked for order, oldest first.
  void find_keys(const KeyOf& key_of);

  /// Moves what has become due to where pop() finds it.
  void advance(SteadyTime now);

  /// One delivery that is past max-age, whether due or not; nothing if there is none. Deliveries
  /// that wait behind a key are looked at when it is free.
  std::optional<Pending> pop_expired(SteadyTime now);

  /// Any delivery at all: to empty the queue of a target that has left the rules.
  std::optional<Pending> pop_any();

  /// Takes out the deliveries that were tried, changes each, and puts back those for which
  /// `change` returns true. For a change of policy.
  void revise(SteadyTime now, const std::function<bool(Pending&)>& change);

  /// New deliveries of events below this one may go; the journal has not synced the others yet.
  /// Until the first call: all.
  void set_durable(Sequence end) { durable_end_ = end; }

  bool has_undurable() const {
    return !fresh_.empty() && fresh_.back().event.sequence >= durable_end_;
  }

  /// Something may go now. Also true if all of it turns out to wait behind keys.
  bool has_ready() const { return fresh_may_go() || !ready_.empty(); }

  bool empty() const { return size() == 0; }

  std::size_t size() const { return ready() + waiting_.size() + parked_; }

  std::size_t ready() const { return fresh_.size() + ready_.size(); }

  std::size_t waiting() const { return waiting_.size(); }

  std::size_t parked() const { return parked_; }

  /// When advance() or pop_expired() next has something to do.
  std::optional<SteadyTime> next_deadline() const;

  /// When the oldest was ingested. Looks at a bounded number of those that wait for a retry.
  std::optional<SteadyTime> oldest() const;

private:
  struct Fresh {
    EventRef event;
    SteadyTime ingested;
  };

  /// Deliveries that wait for a held key, oldest first. Null while there are none, for most keys
  /// are held by one delivery and nobody waits.
  using Parked = std::unique_ptr<std::deque<Pending>>;

  /// A heap in a deque, which grows without copying: a vector of 10 M would need twice its size.
  using Heap = std::deque<Pending>;

  static Pending to_pending(const Fresh& fresh);

  bool fresh_may_go() const {
    return !fresh_.empty() && fresh_.front().event.sequence < durable_end_;
  }

  std::optional<Pending> pop_oldest();
  bool claim(Pending& pending, const KeyOf& key_of);
  void make_ready(Pending pending);
  void make_waiting(Pending pending);
  SteadyTime wake_of(const Pending& pending) const;
  bool later(const Pending& one, const Pending& other) const;

  std::deque<Fresh> fresh_;  ///< Never tried, in order.
  Sequence durable_end_ = std::numeric_limits<Sequence>::max();
  Duration max_age_ = std::chrono::hours(24);
  std::size_t parked_ = 0;
  bool ordered_ = false;
  Heap ready_;    ///< Tried and due; the oldest on top.
  Heap waiting_;  ///< Tried and not due; the one that is due or expires next on top.
  std::unordered_map<OrderingKey, Parked> held_;
};

}  // namespace conga::bus
