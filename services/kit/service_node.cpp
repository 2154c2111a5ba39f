// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_node.h"

#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga::kit {
namespace {

constexpr Duration kPruneInterval = std::chrono::minutes(10);

/// How many outbox entries are read, or timers fired, at a time.
constexpr std::size_t kRefill = 256;
constexpr std::size_t kTimers = 256;

/// An entry of the outbox that is older than this is put by whoever finds it: ten times what a put
/// takes when a bus restarts.
constexpr Duration kAdoptAfter = std::chrono::seconds(10);
constexpr Duration kAdoptInterval = std::chrono::seconds(5);

/// How often timers are looked at that another instance may have set.
constexpr Duration kTimersInterval = std::chrono::seconds(1);

/// A timer whose handler failed comes again after this.
constexpr Duration kTimerRetry = std::chrono::seconds(10);

std::vector<std::string> topics_of(const ServiceOptions& options) {
  return {deliver_topic(options.service, options.instance),
          put_result_topic(options.instance),
          answer_topic(options.instance)};
}

std::optional<SteadyTime> earlier(std::optional<SteadyTime> one, std::optional<SteadyTime> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

Result<std::unique_ptr<ServiceNode>> ServiceNode::open(ServiceOptions options,
                                                       Handlers& handlers,
                                                       EffectRunner& effects,
                                                       Database& database,
                                                       Log& log) {
  auto node = std::unique_ptr<ServiceNode>(
      new ServiceNode(std::move(options), handlers, effects, database, log));
  if (auto migrated = node->inbox_.migrate(); !migrated) return migrated.failure();
  if (auto migrated = node->outbox_.migrate(); !migrated) return migrated.failure();
  if (auto migrated = node->timers_.migrate(); !migrated) return migrated.failure();
  if (auto migrated = handlers.migrate(); !migrated) return migrated.failure();
  return node;
}

ServiceNode::ServiceNode(
    ServiceOptions options, Handlers& handlers, EffectRunner& effects, Database& database, Log& log)
    : options_(std::move(options)),
      handlers_(handlers),
      effects_(effects),
      database_(database),
      log_(log),
      inbox_(database),
      outbox_(database, options_.instance),
      timers_(database),
      session_(options_.instance, topics_of(options_), options_.nonce, options_.session),
      publisher_(options_.instance, options_.publisher),
      subscriber_(options_.service, options_.instance, options_.subscriber) {}

ServiceNode::~ServiceNode() {
  database_.rollback();
}

std::vector<std::string> ServiceNode::subscriptions() const {
  return topics_of(options_);
}

void ServiceNode::on_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  if (!topic) return;
  if (topic->kind == TopicKind::Answer) session_.on_answers(now, frame.body);
  if (topic->kind == TopicKind::PutResult) publisher_.on_put_results(now, frame.body);
  if (topic->kind != TopicKind::Deliver) return;
  for (Delivery& delivery : subscriber_.on_deliveries(frame.body)) {
    deliveries_.push_back(std::move(delivery));
  }
}

void ServiceNode::on_time(const Time& now) {
  if (session_.refusal() && !name_refused_) {
    name_refused_ = true;
    log_.error("the bus refuses this instance: " + session_.refusal()->what);
  }
  publisher_.set_online(session_.greeted());
  subscriber_.set_online(session_.greeted());
  for (PutResult& result : publisher_.take_results()) put_results_.push_back(std::move(result));
  log_refusals(now);
}

void ServiceNode::log_refusals(const Time& now) {
  for (const PutResult& result : put_results_) {
    if (result.ok()) continue;
    log_.complain(now,
                  "put-refused",
                  "the bus refused the event " + result.event_id + ": " + result.code + ": "
                      + result.message + "; it is kept in the table outbox_refused");
  }
}

std::optional<SteadyTime> ServiceNode::wake_at() const {
  const auto client = earlier(session_.wake_at(), subscriber_.wake_at());
  const auto chores = earlier(prune_at_, earlier(adopt_at_, timers_at_));
  return earlier(client, earlier(publisher_.wake_at(), chores));
}

Result<> ServiceNode::commit(const Time& now, std::vector<Frame>& out) {
  auto decided = decide_all(now);
  if (decided) decided = end_effects(now);
  if (decided) decided = look_at_timers(now);
  if (decided) decided = prune(now);
  if (decided) decided = adopt(now);
  if (!decided) {
    if (auto abandoned = abandon(decided.error()); !abandoned) return abandoned;
  }
  deliveries_.clear();
  for (Settlement& settlement : settlements_) subscriber_.settle(std::move(settlement));
  settlements_.clear();
  if (auto refilled = refill(); !refilled && refilled.error().fault != Fault::Transient) {
    return refilled;
  }
  session_.collect(now, out);
  subscriber_.collect(now, out);
  publisher_.collect(now, out);
  return {};
}

/// The first transaction of a turn: what handlers decide without the outside world.
Result<> ServiceNode::decide_all(const Time& now) {
  if (deliveries_.empty() && put_results_.empty() && !timer_is_due(now)) return {};
  if (auto begun = database_.begin(); !begun) return begun;
  if (auto settled = settle_put_results(now); !settled) return settled;
  if (auto fired = fire_timers(now); !fired) return fired;
  for (const Delivery& delivery : deliveries_) {
    if (auto decided = decide(delivery, now); !decided) return decided;
  }
  if (auto committed = database_.commit(); !committed) return committed;
  put_results_.clear();
  for (const auto& [ticket, effect] : std::exchange(to_start_, {})) effects_.start(ticket, effect);
  return {};
}

Result<> ServiceNode::settle_put_results(const Time& now) {
  for (const PutResult& result : put_results_) {
    if (auto settled = outbox_.settle(result, now.wall); !settled) return settled;
  }
  return {};
}

/// An Error is one of the database: it undoes the turn. What is wrong with the event alone becomes
/// its settlement.
Result<> ServiceNode::decide(const Delivery& delivery, const Time& now) {
  const auto event = read_event(delivery.event, options_.limits);
  if (!event) {
    settle(delivery.id, event.failure());
    return {};
  }
  if (!names(handlers_.manifest().consumes, event->detail_type)) {
    settle(delivery.id, unexpected_event(*event));
    return {};
  }
  const auto in_hand = tickets_by_event_.find(event->id);
  if (in_hand != tickets_by_event_.end()) {
    pending_.at(in_hand->second).deliveries.push_back(delivery.id);
    return {};
  }
  const auto known = inbox_.contains(event->id);
  if (!known) return known.failure();
  if (!*known) return judge(delivery, *event, now);
  settle(delivery.id, {});
  return {};
}

Result<> ServiceNode::judge(const Delivery& delivery, const EventView& event, const Time& now) {
  if (auto made = database_.savepoint(); !made) return made;
  auto decision = handlers_.handle(event, now);
  const auto kept = decision ? keep_decision(event, *decision, now) : decision.failure();
  if (kept && decision->effect) {
    begin_effect(delivery, event, std::move(*decision->effect));
    return database_.release();
  }
  if (kept) {
    settle(delivery.id, {});
    return database_.release();
  }
  if (auto undone = undo(kept.error()); !undone) return undone;
  settle(delivery.id, kept);
  return {};
}

/// Takes back what an event has changed. An Error: the whole turn is undone, as SQLite does when
/// the disk is full; the reason is `error`.
Result<> ServiceNode::undo(const Error& error) {
  if (database_.rollback_to_savepoint()) return {};
  return tl::unexpected<Error>(error);
}

void ServiceNode::begin_effect(const Delivery& delivery, const EventView& event, Effect effect) {
  const std::uint64_t ticket = ++tickets_;
  to_start_.emplace_back(ticket, effect);
  tickets_by_event_[event.id] = ticket;
  pending_[ticket] = {.deliveries = {delivery.id},
                      .event = std::string(delivery.event),
                      .id = event.id,
                      .effect = std::move(effect)};
}

/// The second transaction of a turn: what followed from effects that have ended, however long ago
/// they were begun.
Result<> ServiceNode::end_effects(const Time& now) {
  for (EffectRunner::Finished& finished : effects_.take_finished()) {
    ended_.push_back(std::move(finished));
  }
  if (ended_.empty()) return {};
  if (auto begun = database_.begin(); !begun) return begun;
  for (const EffectRunner::Finished& finished : ended_) {
    if (auto done = complete(pending_.at(finished.ticket), finished.answer, now); !done)
      return done;
  }
  if (auto committed = database_.commit(); !committed) return committed;
  for (const EffectRunner::Finished& finished : std::exchange(ended_, {})) {
    tickets_by_event_.erase(pending_.at(finished.ticket).id);
    pending_.erase(finished.ticket);
  }
  return {};
}

Result<> ServiceNode::complete(const Pending& pending,
                               const Result<std::string>& answer,
                               const Time& now) {
  const auto settle_all = [&](const Result<>& outcome) {
    if (!outcome && outcome.error().fault == Fault::Transient) {
      log_.complain(
          now,
          "effect-retried",
          "the effect of " + pending.id.text() + " is to be tried again: " + outcome.error().what);
    }
    for (const DeliveryId delivery : pending.deliveries) settle(delivery, outcome);
  };
  if (!answer && answer.error().fault == Fault::Transient) {
    settle_all(answer.failure());
    return {};
  }
  const auto event = read_event(pending.event, options_.limits);
  if (!event) return event.failure();
  const auto known = inbox_.contains(event->id);  // another instance may have been faster
  if (!known) return known.failure();
  if (*known) {
    settle_all({});
    return {};
  }
  if (auto made = database_.savepoint(); !made) return made;
  const auto rest = answer ? handlers_.unfinished(*answer) : std::nullopt;
  auto facts = handlers_.complete(*event, pending.effect, answer, now);
  Result<> kept;
  if (!facts) kept = facts.failure();
  if (facts && !rest) kept = keep_decision(*event, {.facts = std::move(*facts), .effect = {}}, now);
  if (kept) {
    settle_all(rest ? Result<>(tl::unexpected<Error>(*rest)) : Result<>());
    return database_.release();
  }
  if (auto undone = undo(kept.error()); !undone) return undone;
  settle_all(kept);
  return {};
}

Result<> ServiceNode::keep_decision(const EventView& event,
                                    const Decision& decision,
                                    const Time& now) {
  const Cause cause = cause_of(event);
  for (const TimerChange& change : decision.timers) {
    if (auto changed = timers_.change(change, cause); !changed) return changed;
    timers_at_.reset();
  }
  if (decision.effect) return {};  // the event is dealt with when its effect has ended
  if (auto kept = keep_facts(cause, decision.facts, now); !kept) return kept;
  return inbox_.add(event.id, now.wall);
}

Result<> ServiceNode::keep_facts(const Cause& cause, const Facts& facts, const Time& now) {
  const Manifest& manifest = handlers_.manifest();
  for (std::size_t index = 0; index < facts.size(); ++index) {
    if (!names(manifest.emits, facts[index].type)) {
      return fail(Fault::Permanent,
                  "the manifest of " + options_.service + " does not name the event "
                      + facts[index].type + ": mend the service",
                  "NotInManifest");
    }
    const Event made = conga::kit::to_event(facts[index], cause, manifest.source, index, now.wall);
    if (auto added = outbox_.add(made, now.wall); !added) return added;
  }
  may_have_more_ = may_have_more_ || !facts.empty();
  return {};
}

bool ServiceNode::timer_is_due(const Time& now) const {
  return timers_at_ && now.steady >= *timers_at_;
}

Result<> ServiceNode::fire_timers(const Time& now) {
  if (!timer_is_due(now)) return {};
  timers_at_.reset();
  const auto due = timers_.take(now.wall, kTimers);
  if (!due) return due.failure();
  for (const Timers::Due& timer : *due) {
    if (auto fired = fire(timer, now); !fired) return fired;
  }
  return {};
}

Result<> ServiceNode::fire(const Timers::Due& timer, const Time& now) {
  if (auto made = database_.savepoint(); !made) return made;
  const auto facts = handlers_.on_timer(timer.name, now);
  const auto kept = facts ? keep_facts(timer.cause, *facts, now) : facts.failure();
  if (kept) return database_.release();
  if (auto undone = undo(kept.error()); !undone) return undone;
  log_.complain(now, "timer", "the timer '" + timer.name + "' is put off: " + kept.error().what);
  return timers_.change({.name = timer.name, .due = now.wall + kTimerRetry}, timer.cause);
}

/// Finds out when the next timer is due, once one was set or taken, and from time to time.
Result<> ServiceNode::look_at_timers(const Time& now) {
  if (timers_at_ && now.steady < *timers_at_) return {};
  const auto next = timers_.next();
  if (!next) return next.failure();
  timers_at_ = now.steady + kTimersInterval;
  if (*next)
    timers_at_ = std::min(*timers_at_, now.steady + std::max(**next - now.wall, Duration(0)));
  return {};
}

Result<> ServiceNode::prune(const Time& now) {
  if (prune_at_ && now.steady < *prune_at_) return {};
  prune_at_ = now.steady + kPruneInterval;
  return inbox_.prune(now.wall - options_.inbox_retention);
}

/// The turn could not be made durable: nothing of it has happened, and all of it comes again.
/// Effects that have ended stay in hand for the next turn.
Result<> ServiceNode::abandon(const Error& error) {
  database_.rollback();
  settlements_.clear();
  for (const auto& [ticket, effect] : std::exchange(to_start_, {})) {
    tickets_by_event_.erase(pending_.at(ticket).id);
    pending_.erase(ticket);
  }
  timers_at_.reset();
  if (error.fault != Fault::Transient) return tl::unexpected<Error>(error);
  log_.error("the turn is undone and will be repeated: " + error.what);
  for (const Delivery& delivery : deliveries_) settle(delivery.id, tl::unexpected<Error>(error));
  return {};
}

/// Offers the publisher what the outbox holds, as far as its window has room.
Result<> ServiceNode::refill() {
  while (may_have_more_ && publisher_.has_room()) {
    const auto entries = outbox_.after(offered_, kRefill);
    if (!entries) return entries.failure();
    may_have_more_ = !entries->empty();
    for (const Outbox::Entry& entry : *entries) {
      if (!publisher_.has_room()) return {};
      publisher_.offer(entry.id, entry.event);
      offered_ = entry.number;
    }
  }
  return {};
}

/// Offers what other instances have left behind. At the start that is all there is: this
/// instance's last life had another name.
Result<> ServiceNode::adopt(const Time& now) {
  if (adopt_at_ && now.steady < *adopt_at_) return {};
  const std::size_t room = std::min(kRefill, options_.publisher.window - publisher_.in_window());
  if (room == 0) return {};
  if (auto begun = database_.begin(); !begun) return begun;
  const WallTime horizon = adopts_all_ ? WallTime::max() : now.wall - kAdoptAfter;
  const auto entries = outbox_.adopt(horizon, now.wall, room);
  if (!entries) return entries.failure();
  if (auto committed = database_.commit(); !committed) return committed;
  for (const Outbox::Entry& entry : *entries) publisher_.offer(entry.id, entry.event);
  if (entries->size() == room) return {};  // there may be more
  adopts_all_ = false;
  adopt_at_ = now.steady + kAdoptInterval;
  return {};
}

void ServiceNode::settle(DeliveryId delivery, const Result<>& outcome) {
  Settlement settlement{.id = delivery,
                        .outcome = Settlement::Outcome::Ok,
                        .code = {},
                        .message = {},
                        .delay = std::nullopt};
  if (!outcome) {
    const Error& error = outcome.error();
    const bool retry = error.fault == Fault::Transient;
    settlement.outcome = retry ? Settlement::Outcome::Retry : Settlement::Outcome::Reject;
    settlement.code = error.code.empty() ? (retry ? "Failed" : "Rejected") : error.code;
    settlement.message = error.what;
  }
  settlements_.push_back(std::move(settlement));
}

void ServiceNode::drain(const Time& /*now*/) {
  draining_ = true;
  subscriber_.drain();
}

bool ServiceNode::drained() const {
  return draining_ && deliveries_.empty() && put_results_.empty() && pending_.empty()
         && publisher_.in_window() == 0 && !may_have_more_;
}

}  // namespace conga::kit
