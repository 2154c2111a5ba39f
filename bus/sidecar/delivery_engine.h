// SPDX-License-Identifier: Apache-2.0
//
// DeliveryEngine: decides which delivery goes to which instance and when, and how each one ends.
//
// It knows no files, no frames and no clock: whoever owns it tells it what happened and carries out
// what it decided. Every accepted delivery is, at any time, exactly one of pending, in flight, or
// ended with a decision Settled or DeadLettered.

#pragma once

#include "bus/sidecar/event_store.h"
#include "bus/sidecar/instances.h"
#include "bus/sidecar/link.h"
#include "bus/sidecar/target_counters.h"
#include "bus/sidecar/target_queue.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/wire/messages.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

/// A target for as long as the engine lives, across tables.
using TargetId = std::uint32_t;

/// "Send this now." Counts against the instance's credit until it is settled or given up.
struct Dispatch {
  EventRef event;
  TargetId target = 0;
  std::string_view instance;  ///< Valid until the engine is called again.
  DeliveryId id = 0;
  std::uint32_t attempt = 0;  ///< 1 for the first.
};

/// "This attempt failed; the next is due then."
struct Retry {
  EventRef event;
  TargetId target = 0;
  std::uint32_t attempt = 0;  ///< The one that failed.
  std::string instance;
  WallTime sent;
  WallTime due;
  std::string code;
  std::string message;
};

/// "The service answered ok."
struct Settled {
  EventRef event;
  TargetId target = 0;
  std::uint32_t attempts = 0;
  std::string instance;
  WallTime first_attempt;
  WallTime last_attempt;
};

/// "Given up, for this reason."
struct DeadLettered {
  EventRef event;
  TargetId target = 0;
  std::uint32_t attempts = 0;
  std::string instance;                   ///< Of the last attempt, if that is what failed.
  std::optional<WallTime> first_attempt;  ///< If attempts > 0; so the next.
  std::optional<WallTime> last_attempt;
  std::string code;
  std::string message;
  std::string condition;  ///< EventBridge's EXHAUSTED_RETRY_CONDITION, or empty.
};

/// What was decided since the last take(), to be recorded.
struct Decisions {
  std::vector<Retry> retries;
  std::vector<Settled> settled;
  std::vector<DeadLettered> dead;
};

struct EngineOptions {
  Duration heartbeat_timeout = std::chrono::seconds(3);  ///< An instance silent for it is lost.
  std::size_t endings_per_turn = 1000;  ///< Deliveries that expire or lose their target, a turn.
};

struct EngineCounters {
  std::uint64_t dispatched = 0;
  std::uint64_t settled = 0;
  std::uint64_t retried = 0;
  std::uint64_t dead = 0;
  std::uint64_t stale_settlements =
      0;  ///< For a delivery that is not in flight with that instance.
  std::uint64_t timeouts = 0;
  std::uint64_t lost = 0;  ///< Attempts that ended with their instance.
};

/// What `sidecar.status` shows of a target.
struct TargetState {
  TargetName name;
  std::string service;
  bool paused = false;   ///< By set_paused().
  bool removed = false;  ///< Its rule is gone; what is left of it is being dead-lettered.
  std::size_t ready = 0;
  std::size_t waiting = 0;  ///< For a retry to become due.
  std::size_t parked = 0;   ///< For a delivery of the same ordering key.
  std::size_t in_flight = 0;
  std::optional<SteadyTime> oldest;
  const TargetCounters* counters = nullptr;  ///< Valid as long as the engine.
};

struct ServiceState {
  std::string name;
  const Instances* instances = nullptr;
};

class DeliveryEngine {
public:
  /// `start` goes into the high bits of delivery ids and should differ from run to run, so that a
  /// settlement for an earlier run's delivery is recognised as stale. `key_of` reads the ordering
  /// key of an event by a JSON pointer; it is called only for targets that ask for order.
  using KeyReader = std::function<OrderingKey(const EventRef&, const std::string& pointer)>;

  DeliveryEngine(EngineOptions options, std::uint32_t start, KeyReader key_of, Random& random);
  DeliveryEngine(const DeliveryEngine&) = delete;
  DeliveryEngine& operator=(const DeliveryEngine&) = delete;
  ~DeliveryEngine();

  /// A delivery found by recovery. Nothing is delivered before the first table.
  void recover(const Time& now, const PendingDelivery& delivery);

  /// The forwarder's targets as of now; positions in it are what accept() takes. Policies apply at
  /// once to what is pending; deliveries of targets that are not in it become dead letters.
  void set_table(const Time& now, std::span<const LinkTarget> table);

  std::size_t table_size() const;
  TargetId target_at(std::size_t table_position) const;

  /// The id of a target in the table, by name.
  std::optional<TargetId> find(const TargetName& name) const;
  const TargetName& name_of(TargetId target) const;
  const std::string& service_of(TargetId target) const;

  /// While a target is paused nothing of it is sent; what is in flight may end, and ages go on. A
  /// target may be paused before any table or delivery names it.
  void set_paused(const Time& now, const TargetName& name, bool paused);
  bool is_paused(const TargetName& name) const;

  const DeliveryLimits& limits_of(TargetId target) const;

  /// A new delivery, ingested now.
  void accept(const Time& now, TargetId target, const EventRef& event);

  /// New deliveries are not sent before their events are durable: those below `end`. Until the
  /// first call all are.
  void set_durable(Sequence end);

  void on_ready(const Time& now,
                std::string_view service,
                std::string_view instance,
                std::uint32_t credit);

  /// Its deliveries go to another instance at once; that they were lost counts as an attempt.
  void on_gone(const Time& now, std::string_view service, std::string_view instance);

  void on_settlement(const Time& now,
                     std::string_view service,
                     std::string_view instance,
                     const Settlement& settlement);

  /// A dispatched delivery that could not be sent at all (its event cannot be read): a dead letter.
  void give_up(DeliveryId id, std::string_view code, std::string_view message);

  /// Fires what is due: ack-timeouts, retries, max-age, silent instances. Once a turn, before
  /// next_dispatch().
  void advance(const Time& now);

  /// The next delivery to send; nothing: no more can be sent now. Targets and instances take turns.
  std::optional<Dispatch> next_dispatch(const Time& now);

  /// Moves the decisions out.
  Decisions take();

  /// Whether take() would give any.
  bool has_decisions() const;

  /// Nothing: only a message can change something. A time in the past: call advance() again at
  /// once, there is more to end than one turn may hold.
  std::optional<SteadyTime> wake_at() const;

  std::size_t pending() const;
  std::size_t in_flight() const;
  const EngineCounters& counters() const;
  std::vector<TargetState> targets() const;
  std::vector<ServiceState> services() const;

private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace conga::bus
