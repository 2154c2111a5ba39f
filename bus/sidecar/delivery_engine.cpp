// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/delivery_engine.h"

#include "bus/sidecar/reasons.h"
#include "bus/sidecar/retry.h"
#include "common/core/check.h"
#include "common/core/keyed_lists.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace conga::bus {
namespace {

using ServiceId = std::uint32_t;

constexpr std::string_view kMaxAttempts = "MaximumRetryAttempts";
constexpr std::string_view kMaxAge = "MaximumEventAgeInSeconds";
constexpr unsigned kStartShift = 40;  ///< 10^12 deliveries fit below a run's start number.
constexpr std::uint32_t kStartMask = 0x00ff'ffff;

/// A delivery that an instance works on.
struct Flight {
  Pending pending;
  TargetId target = 0;
  ServiceId service = 0;
  std::string instance;
  SteadyTime sent;
  WallTime sent_wall;
};

/// A list for each target, in the order of sending: the first times out first.
using Flights = KeyedLists<DeliveryId, Flight>;

/// Spaces out what a target with a rate is sent, allowing it a tenth of a second's worth at once
/// (the generic cell rate algorithm: it keeps one number).
class Pace {
public:
  /// When the next may go; a time in the past: now.
  SteadyTime next(std::uint32_t rate) const {
    using namespace std::chrono;
    return rate == 0 ? SteadyTime::min() : floor<Duration>(due_ - kBurst);
  }

  void sent(SteadyTime now, std::uint32_t rate) {
    if (rate == 0) return;
    due_ = std::max<Instant>(due_, now) + std::chrono::nanoseconds(std::chrono::seconds(1)) / rate;
  }

  void reset() { due_ = Instant(); }

private:
  using Instant = std::chrono::time_point<SteadyTime::clock, std::chrono::nanoseconds>;
  static constexpr std::chrono::milliseconds kBurst{100};

  Instant due_;  ///< When the next would be due if they came evenly.
};

/// What every delivery looks at comes first: there are thousands of targets, and their memory is
/// seldom in the processor's cache.
struct Target {
  ServiceId service = 0;
  bool listed = false;  ///< In the table. Otherwise removed, or no table has come yet.
  bool known = false;   ///< A table has ever told its policy.
  bool needs_keys = false;
  bool queued = false;  ///< In its service's line.
  bool paused = false;
  bool throttled = false;  ///< Waits for `pace`.
  bool undurable = false;  ///< In State::undurable.
  DeliveryLimits limits;
  Pace pace;
  std::optional<SteadyTime> deadline;  ///< As entered in State::deadlines.
  RetryPolicy policy;
  TargetQueue queue;
  TargetCounters counters;
  std::deque<Pending> doomed;  ///< Over the attempts that a new policy allows; to be ended.
  std::string ordering;
  TargetName name;

  std::size_t pending() const { return queue.size() + doomed.size(); }
};

struct Service {
  std::string name;
  Instances instances;
  std::deque<TargetId> line;  ///< Targets with something to send; the first one's turn is next.
};

/// How a failed attempt goes on.
struct Failure {
  std::string code;
  std::string message;
  Duration wait{0};
  bool asked = false;
};

}  // namespace

struct DeliveryEngine::State {
  State(EngineOptions given, std::uint32_t start, KeyReader reader, Random& chance)
      : options(given),
        key_of(std::move(reader)),
        random(chance),
        next_id((static_cast<DeliveryId>(start & kStartMask) << kStartShift) + 1),
        endings_left(given.endings_per_turn) {}

  TargetId intern(const TargetName& name);
  ServiceId intern_service(std::string_view name);
  void apply(const Time& now, TargetId id, const LinkTarget& entry);
  void revise(const Time& now, Target& target, bool hasten);
  void reset_order(TargetId id);
  void find_keys(TargetId id);
  KeyOf key_reader(const Target& target) const;

  bool has_room(TargetId id) const;
  void line_up(TargetId id);
  void touch(TargetId id);
  void touch(TargetId id, SteadyTime next);
  void schedule(TargetId id, std::optional<SteadyTime> at);
  std::optional<SteadyTime> next_of(TargetId id) const;
  void advance_target(const Time& now, TargetId id);
  void time_out(const Time& now, TargetId id);
  void expire(const Time& now, TargetId id);
  void clear_out(TargetId id);
  void advance_instances(const Time& now);
  void lose(const Time& now, ServiceId service, const std::string& instance, std::string_view why);

  std::optional<Dispatch> dispatch_from(const Time& now, Service& service);
  std::optional<Pending> next_deliverable(const Time& now, TargetId id);
  Dispatch send(const Time& now, TargetId id, Instance& instance, const Pending& pending);

  Flights::Entry entry_of(DeliveryId id) const;
  Flight take_back(Flights::Entry entry);
  void attempt_failed(const Time& now, Flights::Entry entry, const Failure& failure);
  void note_failure(Flight& delivery, const Failure& failure);
  void reject(const Time& now, Flights::Entry entry, const Settlement& settlement);
  void note_first_end(const Time& now, const Flight& delivery);
  void settle(const Time& now, Flights::Entry entry);
  void end(Target& target, const Pending& pending);
  void bury(TargetId id, const Pending& pending, std::string instance, std::string_view condition);
  void bury_expired(TargetId id, const Pending& pending);
  void bury_removed(TargetId id, const Pending& pending);
  bool expired(const Time& now, const Target& target, const Pending& pending) const;

  EngineOptions options;
  KeyReader key_of;
  Random& random;
  DeliveryId next_id;
  Reasons reasons;
  std::deque<Target> targets;  ///< By TargetId; never moved, never removed.
  std::map<TargetName, TargetId> target_ids;
  std::vector<TargetId> table;
  bool has_table = false;
  std::deque<Service> services;
  std::map<std::string, ServiceId, std::less<>> service_ids;
  std::size_t turn = 0;  ///< The service whose turn it is.
  Flights in_flight;
  std::set<std::pair<SteadyTime, TargetId>> deadlines;
  std::vector<TargetId> postponed;               ///< Had more to sort out than one turn may hold.
  SteadyTime silence_check = SteadyTime::max();  ///< When an instance may first have gone silent.
  Sequence durable_end = std::numeric_limits<Sequence>::max();
  std::vector<TargetId> undurable;  ///< With new deliveries of events that are not durable.
  std::size_t endings_left;
  EngineCounters counters;
  Decisions decisions;
};

// --- Targets and tables ---

TargetId DeliveryEngine::State::intern(const TargetName& name) {
  const auto found = target_ids.find(name);
  if (found != target_ids.end()) return found->second;
  const auto id = static_cast<TargetId>(targets.size());
  targets.emplace_back();
  targets.back().name = name;
  targets.back().service = intern_service("");
  target_ids.emplace(name, id);
  return id;
}

ServiceId DeliveryEngine::State::intern_service(std::string_view name) {
  const auto found = service_ids.find(name);
  if (found != service_ids.end()) return found->second;
  const auto id = static_cast<ServiceId>(services.size());
  services.emplace_back();
  services.back().name = name;
  service_ids.emplace(name, id);
  return id;
}

void DeliveryEngine::State::apply(const Time& now, TargetId id, const LinkTarget& entry) {
  Target& target = targets[id];
  target.listed = true;
  if (entry.limits != target.limits) {
    target.limits = entry.limits;
    target.pace.reset();
  }
  const ServiceId service = intern_service(entry.service);
  if (service != target.service) {
    std::erase(services[target.service].line, id);
    target.queued = false;
    target.service = service;
  }
  if (entry.ordering != target.ordering) {
    target.ordering = entry.ordering;
    reset_order(id);
  }
  if (!target.known || entry.retry != target.policy) {
    const bool hasten = target.known;
    target.policy = entry.retry;
    target.known = true;
    target.queue.set_max_age(target.policy.max_age);
    revise(now, target, hasten);
  }
}

/// Deliveries with more attempts than the policy allows now are to be ended; if `hasten`, those
/// that wait longer than the policy would make them wait are due earlier.
void DeliveryEngine::State::revise(const Time& now, Target& target, bool hasten) {
  target.queue.revise(now.steady, [&](Pending& pending) {
    if (pending.attempts > target.policy.max_attempts) {
      target.doomed.push_back(pending);
      return false;
    }
    if (hasten && !pending.asked) {
      const Duration longest = backoff_ceiling(target.policy, pending.attempts);
      pending.due = std::min(pending.due, now.steady + longest);
    }
    return true;
  });
}

void DeliveryEngine::State::reset_order(TargetId id) {
  Target& target = targets[id];
  target.queue.set_ordered(!target.ordering.empty());
  in_flight.for_each(id, [](Flight& flight) { flight.pending.key = kNoKey; });
  target.needs_keys = !target.ordering.empty();
}

/// Deliveries that were tried before the order was asked for, or before a restart, hold their keys
/// before any newer one may go.
void DeliveryEngine::State::find_keys(TargetId id) {
  Target& target = targets[id];
  const KeyOf reader = key_reader(target);
  in_flight.for_each(id, [&](Flight& flight) {
    const OrderingKey key = reader(flight.pending.event);
    if (key != kNoKey && target.queue.hold(key)) flight.pending.key = key;
  });
  target.queue.find_keys(reader);
  target.needs_keys = false;
}

KeyOf DeliveryEngine::State::key_reader(const Target& target) const {
  return [this, &target](const EventRef& event) { return key_of(event, target.ordering); };
}

// --- Timers ---

bool DeliveryEngine::State::has_room(TargetId id) const {
  const std::uint32_t most = targets[id].limits.max_in_flight;
  return most == 0 || in_flight.size(id) < most;
}

void DeliveryEngine::State::line_up(TargetId id) {
  Target& target = targets[id];
  if (target.queued || !target.listed || !target.queue.has_ready()) return;
  if (target.paused || target.throttled || !has_room(id)) return;
  target.queued = true;
  services[target.service].line.push_back(id);
}

/// Something of the target may be due earlier than before. What became due later is found out
/// when the timer fires, so that the common case costs nothing.
void DeliveryEngine::State::touch(TargetId id) {
  const Target& target = targets[id];
  const auto next = next_of(id);
  if (next && (!target.deadline || *next < *target.deadline)) schedule(id, next);
}

/// As touch(), if all that is new is due at `next`.
void DeliveryEngine::State::touch(TargetId id, SteadyTime next) {
  const Target& target = targets[id];
  if (target.deadline && *target.deadline <= next) return;
  touch(id);
}

void DeliveryEngine::State::schedule(TargetId id, std::optional<SteadyTime> at) {
  Target& target = targets[id];
  if (target.deadline) deadlines.erase({*target.deadline, id});
  target.deadline = at;
  if (at) deadlines.emplace(*at, id);
}

std::optional<SteadyTime> DeliveryEngine::State::next_of(TargetId id) const {
  const Target& target = targets[id];
  if (!has_table) return std::nullopt;
  if (!target.doomed.empty()) return SteadyTime::min();
  if (!target.listed && !target.queue.empty()) return SteadyTime::min();
  auto next = target.queue.next_deadline();
  if (target.throttled) {
    const SteadyTime paced = target.pace.next(target.limits.rate);
    next = next ? std::min(*next, paced) : paced;
  }
  const auto first = in_flight.front(id);
  if (!first) return next;
  const SteadyTime timeout = in_flight[*first].sent + target.policy.ack_timeout;
  return next ? std::min(*next, timeout) : timeout;
}

void DeliveryEngine::State::advance_target(const Time& now, TargetId id) {
  Target& target = targets[id];
  time_out(now, id);
  if (target.pace.next(target.limits.rate) <= now.steady) target.throttled = false;
  target.queue.advance(now.steady);
  for (; endings_left > 0 && !target.doomed.empty(); --endings_left) {
    const Pending pending = target.doomed.front();
    target.doomed.pop_front();
    bury(id, pending, {}, kMaxAttempts);
  }
  if (target.listed) {
    expire(now, id);
    line_up(id);
  } else {
    clear_out(id);
  }
  schedule(id, next_of(id));
}

void DeliveryEngine::State::time_out(const Time& now, TargetId id) {
  const Target& target = targets[id];
  const Duration allowed = target.policy.ack_timeout;
  while (const auto first = in_flight.front(id)) {
    const Flight& delivery = in_flight[*first];
    if (delivery.sent + allowed > now.steady) return;
    ++counters.timeouts;
    const std::string message =
        delivery.instance + " did not settle it within " + format_duration(allowed);
    const Duration wait = backoff(target.policy, delivery.pending.attempts + 1U, random);
    attempt_failed(now, *first, {.code = "AckTimeout", .message = message, .wait = wait});
  }
}

void DeliveryEngine::State::expire(const Time& now, TargetId id) {
  for (; endings_left > 0; --endings_left) {
    const auto pending = targets[id].queue.pop_expired(now.steady);
    if (!pending) return;
    bury_expired(id, *pending);
  }
}

void DeliveryEngine::State::clear_out(TargetId id) {
  for (; endings_left > 0; --endings_left) {
    const auto pending = targets[id].queue.pop_any();
    if (!pending) return;
    bury_removed(id, *pending);
  }
}

void DeliveryEngine::State::advance_instances(const Time& now) {
  if (silence_check > now.steady) return;
  silence_check = SteadyTime::max();
  const SteadyTime before = now.steady - options.heartbeat_timeout;
  for (ServiceId id = 0; id < services.size(); ++id) {
    while (const Instance* const silent = services[id].instances.silent_since(before)) {
      lose(now, id, std::string(silent->name), "was not heard of for ");
    }
    const auto oldest = services[id].instances.longest_silent();
    if (oldest) silence_check = std::min(silence_check, *oldest + options.heartbeat_timeout);
  }
}

void DeliveryEngine::State::lose(const Time& now,
                                 ServiceId service,
                                 const std::string& instance,
                                 std::string_view why) {
  std::string message = instance + " " + std::string(why);
  if (why.ends_with(' ')) message += format_duration(options.heartbeat_timeout);
  std::vector<DeliveryId> lost;
  in_flight.for_each([&](DeliveryId id, const Flight& flight) {
    if (flight.service == service && flight.instance == instance) lost.push_back(id);
  });
  std::ranges::sort(lost);
  for (const DeliveryId id : lost) {
    ++counters.lost;
    attempt_failed(now, entry_of(id), {.code = "ConsumerLost", .message = message});
  }
  services[service].instances.remove(instance);
}

// --- Dispatching ---

std::optional<Dispatch> DeliveryEngine::State::dispatch_from(const Time& now, Service& service) {
  while (!service.line.empty()) {
    Instance* const instance = service.instances.most_free();
    if (instance == nullptr) return std::nullopt;
    const TargetId id = service.line.front();
    service.line.pop_front();
    targets[id].queued = false;
    const auto pending = next_deliverable(now, id);
    if (!pending) continue;
    const Dispatch dispatch = send(now, id, *instance, *pending);
    line_up(id);
    return dispatch;
  }
  return std::nullopt;
}

/// What may no longer be delivered is ended on the way.
std::optional<Pending> DeliveryEngine::State::next_deliverable(const Time& now, TargetId id) {
  Target& target = targets[id];
  if (!target.listed || target.paused || !has_room(id)) return std::nullopt;
  target.throttled = target.pace.next(target.limits.rate) > now.steady;
  if (target.throttled) {
    touch(id);
    return std::nullopt;
  }
  if (target.needs_keys) find_keys(id);
  target.queue.advance(now.steady);
  while (endings_left > 0) {
    auto pending = target.queue.pop(key_reader(target));
    if (!pending) break;
    if (!expired(now, target, *pending)) return pending;
    bury_expired(id, *pending);
    --endings_left;
  }
  if (target.queue.has_ready()) postponed.push_back(id);
  return std::nullopt;
}

Dispatch DeliveryEngine::State::send(const Time& now,
                                     TargetId id,
                                     Instance& instance,
                                     const Pending& pending) {
  Target& target = targets[id];
  ++instance.in_flight;
  ++counters.dispatched;
  ++target.counters.attempts;
  target.pace.sent(now.steady, target.limits.rate);
  if (pending.attempts == 0) {
    target.counters.to_start.observe(now.steady - pending.ingested);
  } else {
    ++target.counters.retry_attempts;
  }
  const auto entry = in_flight.add(next_id,
                                   id,
                                   {.pending = pending,
                                    .target = id,
                                    .service = target.service,
                                    .instance = instance.name,
                                    .sent = now.steady,
                                    .sent_wall = now.wall});
  CONGA_CHECK(entry.has_value(), "ids of deliveries only ascend");
  const Flight& flight = in_flight[*entry];
  ++next_id;
  touch(id, now.steady + target.policy.ack_timeout);
  return {.event = pending.event,
          .target = id,
          .instance = flight.instance,
          .id = in_flight.key_of(*entry),
          .attempt = pending.attempts + 1U};
}

// --- Endings ---

Flights::Entry DeliveryEngine::State::entry_of(DeliveryId id) const {
  const auto found = in_flight.find(id);
  CONGA_CHECK(found.has_value(), "a delivery is taken back that is not in flight");
  return *found;
}

/// Out of flight, the instance's credit given back.
Flight DeliveryEngine::State::take_back(Flights::Entry entry) {
  Flight delivery = in_flight.take(entry);
  Instance* const instance = services[delivery.service].instances.find(delivery.instance);
  if (instance != nullptr && instance->in_flight > 0) --instance->in_flight;
  return delivery;
}

/// To be called before a failure is noted.
void DeliveryEngine::State::note_first_end(const Time& now, const Flight& delivery) {
  if (delivery.pending.attempts > 0) return;
  targets[delivery.target].counters.to_complete.observe(now.steady - delivery.pending.ingested);
}

void DeliveryEngine::State::note_failure(Flight& delivery, const Failure& failure) {
  Pending& pending = delivery.pending;
  if (pending.attempts == 0) pending.first_attempt = delivery.sent_wall;
  pending.last_attempt = delivery.sent_wall;
  if (pending.attempts < std::numeric_limits<std::uint16_t>::max()) ++pending.attempts;
  const Reasons::Id reason = reasons.keep(failure.code, failure.message);
  reasons.release(pending.reason);
  pending.reason = reason;
}

void DeliveryEngine::State::attempt_failed(const Time& now,
                                           Flights::Entry entry,
                                           const Failure& failure) {
  Flight delivery = take_back(entry);
  Target& target = targets[delivery.target];
  Pending& pending = delivery.pending;
  note_first_end(now, delivery);
  note_failure(delivery, failure);
  if (!target.listed) {
    bury_removed(delivery.target, pending);
    return;
  }
  if (pending.attempts > target.policy.max_attempts) {
    bury(delivery.target, pending, delivery.instance, kMaxAttempts);
    return;
  }
  if (expired(now, target, pending)) {
    bury(delivery.target, pending, delivery.instance, kMaxAge);
    return;
  }
  pending.due = now.steady + failure.wait;
  pending.asked = failure.asked;
  ++counters.retried;
  const Reason& reason = reasons.at(pending.reason);
  decisions.retries.push_back({.event = pending.event,
                               .target = delivery.target,
                               .attempt = pending.attempts,
                               .instance = std::move(delivery.instance),
                               .sent = delivery.sent_wall,
                               .due = now.wall + failure.wait,
                               .code = reason.code,
                               .message = reason.message});
  target.queue.push_back(now.steady, pending);
  line_up(delivery.target);
  touch(delivery.target);
}

void DeliveryEngine::State::reject(const Time& now,
                                   Flights::Entry entry,
                                   const Settlement& settlement) {
  Flight delivery = take_back(entry);
  note_first_end(now, delivery);
  note_failure(delivery, {.code = settlement.code, .message = settlement.message});
  bury(delivery.target, delivery.pending, std::move(delivery.instance), {});
}

void DeliveryEngine::State::settle(const Time& now, Flights::Entry entry) {
  Flight delivery = take_back(entry);
  const Pending& pending = delivery.pending;
  TargetCounters& counted = targets[delivery.target].counters;
  ++counted.invocations;
  ++counted.successful_attempts;
  note_first_end(now, delivery);
  counted.to_success.observe(now.steady - pending.ingested);
  ++counters.settled;
  decisions.settled.push_back(
      {.event = pending.event,
       .target = delivery.target,
       .attempts = pending.attempts + 1U,
       .instance = std::move(delivery.instance),
       .first_attempt = pending.attempts == 0 ? delivery.sent_wall : pending.first_attempt,
       .last_attempt = delivery.sent_wall});
  end(targets[delivery.target], pending);
  line_up(delivery.target);
}

void DeliveryEngine::State::end(Target& target, const Pending& pending) {
  reasons.release(pending.reason);
  target.queue.release(pending.key);
}

void DeliveryEngine::State::bury(TargetId id,
                                 const Pending& pending,
                                 std::string instance,
                                 std::string_view condition) {
  const Reason& reason = reasons.at(pending.reason);
  DeadLettered dead{.event = pending.event,
                    .target = id,
                    .attempts = pending.attempts,
                    .instance = std::move(instance),
                    .first_attempt = std::nullopt,
                    .last_attempt = std::nullopt,
                    .code = reason.code,
                    .message = reason.message,
                    .condition = std::string(condition)};
  if (pending.attempts > 0) {
    dead.first_attempt = pending.first_attempt;
    dead.last_attempt = pending.last_attempt;
  }
  ++counters.dead;
  if (pending.attempts > 0) ++targets[id].counters.invocations;
  decisions.dead.push_back(std::move(dead));
  end(targets[id], pending);
  line_up(id);
  touch(id);
}

void DeliveryEngine::State::bury_expired(TargetId id, const Pending& pending) {
  bury(id, pending, {}, kMaxAge);
  if (pending.attempts > 0) return;
  const Target& target = targets[id];
  decisions.dead.back().code = "NoConsumer";
  decisions.dead.back().message = "no instance of " + services[target.service].name
                                  + " took it within " + format_duration(target.policy.max_age);
}

void DeliveryEngine::State::bury_removed(TargetId id, const Pending& pending) {
  bury(id, pending, {}, {});
  DeadLettered& dead = decisions.dead.back();
  const TargetName& name = targets[id].name;
  const std::string last =
      dead.code.empty() ? "" : "; its last failure was " + dead.code + ": " + dead.message;
  dead.code = "TargetRemoved";
  dead.message = "target " + name.target + " of rule " + name.rule + " has left the rules" + last;
}

bool DeliveryEngine::State::expired(const Time& now,
                                    const Target& target,
                                    const Pending& pending) const {
  return pending.ingested + target.policy.max_age <= now.steady;
}

// --- What the owner calls ---

DeliveryEngine::DeliveryEngine(EngineOptions options,
                               std::uint32_t start,
                               KeyReader key_of,
                               Random& random)
    : state_(std::make_unique<State>(options, start, std::move(key_of), random)) {}

DeliveryEngine::~DeliveryEngine() = default;

void DeliveryEngine::recover(const Time& now, const PendingDelivery& delivery) {
  constexpr Duration kLongestWait = std::chrono::hours(24);
  Target& target = state_->targets[state_->intern(delivery.target)];
  // A wall clock that was set back while we were away must not make anything younger than new.
  const Duration age = std::max(now.wall - delivery.ingested, Duration(0));
  if (delivery.attempts == 0) {
    target.queue.push(delivery.event, now.steady - age);
    return;
  }
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  Pending pending;
  pending.event = delivery.event;
  pending.ingested = now.steady - age;
  // Nor may it make a delivery wait longer than it was to wait when its attempt failed.
  const Duration wait = std::clamp<Duration>(
      delivery.due - std::max(now.wall, delivery.failed), Duration(0), kLongestWait);
  pending.due = now.steady + wait;
  pending.first_attempt = delivery.first_attempt;
  pending.last_attempt = delivery.last_attempt;
  pending.attempts = static_cast<std::uint16_t>(std::min(delivery.attempts, kMost));
  pending.reason = state_->reasons.keep(delivery.last_code, delivery.last_message);
  target.queue.push_back(now.steady, pending);
}

void DeliveryEngine::set_table(const Time& now, std::span<const LinkTarget> table) {
  for (Target& target : state_->targets) target.listed = false;
  state_->has_table = true;
  state_->table.clear();
  for (const LinkTarget& entry : table) {
    const TargetId id = state_->intern({.rule = entry.rule, .target = entry.target});
    state_->apply(now, id, entry);
    state_->table.push_back(id);
  }
  for (TargetId id = 0; id < state_->targets.size(); ++id) {
    state_->line_up(id);
    state_->schedule(id, state_->next_of(id));
  }
}

std::size_t DeliveryEngine::table_size() const {
  return state_->table.size();
}

TargetId DeliveryEngine::target_at(std::size_t table_position) const {
  CONGA_CHECK(table_position < state_->table.size(), "no such position in the table");
  return state_->table[table_position];
}

std::optional<TargetId> DeliveryEngine::find(const TargetName& name) const {
  const auto found = state_->target_ids.find(name);
  if (found == state_->target_ids.end() || !state_->targets[found->second].listed) {
    return std::nullopt;
  }
  return found->second;
}

const TargetName& DeliveryEngine::name_of(TargetId target) const {
  return state_->targets[target].name;
}

const std::string& DeliveryEngine::service_of(TargetId target) const {
  return state_->services[state_->targets[target].service].name;
}

void DeliveryEngine::set_paused(const Time& now, const TargetName& name, bool paused) {
  const TargetId id = state_->intern(name);
  state_->targets[id].paused = paused;
  if (paused) return;
  state_->targets[id].queue.advance(now.steady);
  state_->line_up(id);
}

bool DeliveryEngine::is_paused(const TargetName& name) const {
  const auto found = state_->target_ids.find(name);
  return found != state_->target_ids.end() && state_->targets[found->second].paused;
}

const DeliveryLimits& DeliveryEngine::limits_of(TargetId target) const {
  return state_->targets[target].limits;
}

void DeliveryEngine::accept(const Time& now, TargetId target, const EventRef& event) {
  Target& owed = state_->targets[target];
  owed.queue.push(event, now.steady);
  if (event.sequence >= state_->durable_end && !std::exchange(owed.undurable, true)) {
    owed.queue.set_durable(state_->durable_end);
    state_->undurable.push_back(target);
  }
  state_->line_up(target);
  // The oldest expires first, so a younger one is due earlier only if there is none.
  state_->touch(target, now.steady + owed.policy.max_age);
}

void DeliveryEngine::set_durable(Sequence end) {
  State& state = *state_;
  state.durable_end = end;
  std::erase_if(state.undurable, [&](TargetId id) {
    Target& target = state.targets[id];
    target.queue.set_durable(end);
    target.undurable = target.queue.has_undurable();
    state.line_up(id);
    return !target.undurable;
  });
}

void DeliveryEngine::on_ready(const Time& now,
                              std::string_view service,
                              std::string_view instance,
                              std::uint32_t credit) {
  const ServiceId id = state_->intern_service(service);
  state_->services[id].instances.on_ready(now.steady, instance, credit);
  state_->silence_check =
      std::min(state_->silence_check, now.steady + state_->options.heartbeat_timeout);
}

void DeliveryEngine::on_gone(const Time& now, std::string_view service, std::string_view instance) {
  const auto found = state_->service_ids.find(service);
  if (found == state_->service_ids.end()) return;
  if (state_->services[found->second].instances.find(instance) == nullptr) return;
  state_->lose(now, found->second, std::string(instance), "has left the bus");
}

void DeliveryEngine::on_settlement(const Time& now,
                                   std::string_view service,
                                   std::string_view instance,
                                   const Settlement& settlement) {
  const auto found = state_->in_flight.find(settlement.id);
  const Flight* const delivery = found ? &state_->in_flight[*found] : nullptr;
  if (delivery == nullptr || delivery->instance != instance
      || state_->services[delivery->service].name != service) {
    ++state_->counters.stale_settlements;
    return;
  }
  if (settlement.outcome == Settlement::Outcome::Ok) {
    state_->settle(now, *found);
  } else if (settlement.outcome == Settlement::Outcome::Reject) {
    state_->reject(now, *found, settlement);
  } else {
    const RetryPolicy& policy = state_->targets[delivery->target].policy;
    const Duration usual = backoff(policy, delivery->pending.attempts + 1U, state_->random);
    const Duration asked = settlement.delay.value_or(Duration(0));
    state_->attempt_failed(now,
                           *found,
                           {.code = settlement.code,
                            .message = settlement.message,
                            .wait = std::max(usual, asked),
                            .asked = asked > usual});
  }
}

void DeliveryEngine::give_up(DeliveryId id, std::string_view code, std::string_view message) {
  Flight delivery = state_->take_back(state_->entry_of(id));
  state_->bury(delivery.target, delivery.pending, {}, {});
  state_->decisions.dead.back().code = code;
  state_->decisions.dead.back().message = message;
}

void DeliveryEngine::advance(const Time& now) {
  State& state = *state_;
  state.endings_left = state.options.endings_per_turn;
  const std::vector<TargetId> postponed = std::exchange(state.postponed, {});
  for (const TargetId id : postponed) state.line_up(id);
  state.advance_instances(now);
  while (state.endings_left > 0 && !state.deadlines.empty()
         && state.deadlines.begin()->first <= now.steady) {
    state.advance_target(now, state.deadlines.begin()->second);
  }
}

std::optional<Dispatch> DeliveryEngine::next_dispatch(const Time& now) {
  State& state = *state_;
  for (std::size_t tried = 0; tried < state.services.size(); ++tried) {
    Service& service = state.services[state.turn];
    state.turn = (state.turn + 1) % state.services.size();
    if (service.line.empty()) continue;
    if (auto dispatch = state.dispatch_from(now, service)) return dispatch;
  }
  return std::nullopt;
}

Decisions DeliveryEngine::take() {
  return std::exchange(state_->decisions, {});
}

bool DeliveryEngine::has_decisions() const {
  const Decisions& made = state_->decisions;
  return !made.retries.empty() || !made.settled.empty() || !made.dead.empty();
}

std::optional<SteadyTime> DeliveryEngine::wake_at() const {
  if (!state_->postponed.empty()) return SteadyTime::min();
  std::optional<SteadyTime> next;
  if (!state_->deadlines.empty()) next = state_->deadlines.begin()->first;
  if (state_->silence_check == SteadyTime::max()) return next;
  return next ? std::min(*next, state_->silence_check) : state_->silence_check;
}

std::size_t DeliveryEngine::pending() const {
  std::size_t sum = 0;
  for (const Target& target : state_->targets) sum += target.pending();
  return sum;
}

std::size_t DeliveryEngine::in_flight() const {
  return state_->in_flight.size();
}

const EngineCounters& DeliveryEngine::counters() const {
  return state_->counters;
}

std::vector<TargetState> DeliveryEngine::targets() const {
  std::vector<TargetState> states;
  for (TargetId id = 0; id < state_->targets.size(); ++id) {
    const Target& target = state_->targets[id];
    const auto first = state_->in_flight.front(id);
    TargetState state{.name = target.name,
                      .service = state_->services[target.service].name,
                      .paused = target.paused,
                      .removed = state_->has_table && !target.listed,
                      .ready = target.queue.ready(),
                      .waiting = target.queue.waiting() + target.doomed.size(),
                      .parked = target.queue.parked(),
                      .in_flight = state_->in_flight.size(id),
                      .oldest = target.queue.oldest(),
                      .counters = &target.counters};
    if (first) {
      const SteadyTime sent_first = state_->in_flight[*first].pending.ingested;
      state.oldest = state.oldest ? std::min(*state.oldest, sent_first) : sent_first;
    }
    states.push_back(std::move(state));
  }
  return states;
}

std::vector<ServiceState> DeliveryEngine::services() const {
  std::vector<ServiceState> states;
  for (const Service& service : state_->services) {
    if (!service.name.empty()) states.push_back({service.name, &service.instances});
  }
  return states;
}

}  // namespace conga::bus
