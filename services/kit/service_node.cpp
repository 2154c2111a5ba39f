// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_node.h"

#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga::kit {
namespace {

constexpr Duration kPruneInterval = std::chrono::minutes(10);

/// How many outbox entries are read at a time.
constexpr std::size_t kRefill = 256;

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
                                                       Database& database,
                                                       Log& log) {
  auto node =
      std::unique_ptr<ServiceNode>(new ServiceNode(std::move(options), handlers, database, log));
  if (auto migrated = node->inbox_.migrate(); !migrated) return migrated.failure();
  if (auto migrated = node->outbox_.migrate(); !migrated) return migrated.failure();
  if (auto migrated = handlers.migrate(); !migrated) return migrated.failure();
  return node;
}

ServiceNode::ServiceNode(ServiceOptions options, Handlers& handlers, Database& database, Log& log)
    : options_(std::move(options)),
      handlers_(handlers),
      database_(database),
      log_(log),
      inbox_(database),
      outbox_(database),
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
  return earlier(client, earlier(publisher_.wake_at(), prune_at_));
}

Result<> ServiceNode::commit(const Time& now, std::vector<Frame>& out) {
  auto decided = decide_all(now);
  if (decided) decided = perform_effects(now);
  if (decided) decided = prune(now);
  if (!decided) {
    if (auto abandoned = abandon(decided.error()); !abandoned) return abandoned;
  }
  deliveries_.clear();
  effects_.clear();
  for (Settlement& settlement : settlements_) subscriber_.settle(std::move(settlement));
  settlements_.clear();
  if (auto refilled = refill(now); !refilled && refilled.error().fault != Fault::Transient) {
    return refilled;
  }
  session_.collect(now, out);
  subscriber_.collect(now, out);
  publisher_.collect(now, out);
  return {};
}

/// The first transaction of a turn: what handlers decide without the outside world.
Result<> ServiceNode::decide_all(const Time& now) {
  if (deliveries_.empty() && put_results_.empty()) return {};
  if (auto begun = database_.begin(); !begun) return begun;
  if (auto settled = settle_put_results(now); !settled) return settled;
  for (std::size_t at = 0; at < deliveries_.size(); ++at) {
    if (auto decided = decide(at, now); !decided) return decided;
  }
  if (auto committed = database_.commit(); !committed) return committed;
  put_results_.clear();
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
Result<> ServiceNode::decide(std::size_t at, const Time& now) {
  const auto event = read_event(deliveries_[at].event, options_.limits);
  if (!event) {
    settle_error(at, event.error());
    return {};
  }
  const auto known = inbox_.contains(event->id);
  if (!known) return known.failure();
  if (*known) {
    settle_ok(at);
    return {};
  }
  if (auto made = database_.savepoint(); !made) return made;
  auto decision = handlers_.handle(*event, now);
  if (!decision) {
    if (!database_.rollback_to_savepoint()) return decision.failure();  // the whole turn is undone
    settle_error(at, decision.error());
    return {};
  }
  if (decision->effect) {
    effects_.push_back({.delivery = at, .effect = std::move(*decision->effect)});
    return database_.release();
  }
  if (auto kept = keep(*event, decision->facts, now); !kept) return kept;
  settle_ok(at);
  return database_.release();
}

/// All effects first, outside any transaction; then the second transaction of the turn holds what
/// followed from them.
Result<> ServiceNode::perform_effects(const Time& now) {
  if (effects_.empty()) return {};
  std::vector<Result<std::string>> answers;
  for (const Pending& pending : effects_) answers.push_back(handlers_.perform(pending.effect));
  if (auto begun = database_.begin(); !begun) return begun;
  for (std::size_t at = 0; at < effects_.size(); ++at) {
    const Result<std::string>& answer = answers[at];
    if (!answer && answer.error().fault == Fault::Transient) {
      settle_error(effects_[at].delivery, answer.error());
      continue;
    }
    if (auto completed = complete(effects_[at], answer, now); !completed) return completed;
  }
  return database_.commit();
}

Result<> ServiceNode::complete(const Pending& pending,
                               const Result<std::string>& answer,
                               const Time& now) {
  const auto event = read_event(deliveries_[pending.delivery].event, options_.limits);
  if (!event) return event.failure();
  const auto known = inbox_.contains(event->id);
  if (!known) return known.failure();
  if (*known) {  // the same event came twice in this turn
    settle_ok(pending.delivery);
    return {};
  }
  if (auto made = database_.savepoint(); !made) return made;
  const auto facts = handlers_.complete(*event, pending.effect, answer, now);
  if (!facts) {
    if (!database_.rollback_to_savepoint()) return facts.failure();  // the whole turn is undone
    settle_error(pending.delivery, facts.error());
    return {};
  }
  if (auto kept = keep(*event, *facts, now); !kept) return kept;
  settle_ok(pending.delivery);
  return database_.release();
}

Result<> ServiceNode::keep(const EventView& event, const Facts& facts, const Time& now) {
  for (std::size_t index = 0; index < facts.size(); ++index) {
    const Event made = to_event(facts[index], event, handlers_.source(), index, now.wall);
    if (auto added = outbox_.add(made); !added) return added;
  }
  may_have_more_ = may_have_more_ || !facts.empty();
  return inbox_.add(event.id, now.wall);
}

Result<> ServiceNode::prune(const Time& now) {
  if (prune_at_ && now.steady < *prune_at_) return {};
  prune_at_ = now.steady + kPruneInterval;
  return inbox_.prune(now.wall - options_.inbox_retention);
}

/// The turn could not be made durable: nothing of it has happened, and all of it comes again.
Result<> ServiceNode::abandon(const Error& error) {
  database_.rollback();
  settlements_.clear();
  if (error.fault != Fault::Transient) return tl::unexpected<Error>(error);
  log_.error("the turn is undone and will be repeated: " + error.what);
  for (std::size_t at = 0; at < deliveries_.size(); ++at) settle_error(at, error);
  return {};
}

/// Offers the publisher what the outbox holds, as far as its window has room.
Result<> ServiceNode::refill(const Time& /*now*/) {
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

void ServiceNode::settle_ok(std::size_t at) {
  settlements_.push_back({.id = deliveries_[at].id,
                          .outcome = Settlement::Outcome::Ok,
                          .code = {},
                          .message = {},
                          .delay = std::nullopt});
}

void ServiceNode::settle_error(std::size_t at, const Error& error) {
  const bool retry = error.fault == Fault::Transient;
  settlements_.push_back(
      {.id = deliveries_[at].id,
       .outcome = retry ? Settlement::Outcome::Retry : Settlement::Outcome::Reject,
       .code = error.code.empty() ? (retry ? "Failed" : "Rejected") : error.code,
       .message = error.what,
       .delay = std::nullopt});
}

void ServiceNode::drain(const Time& /*now*/) {
  draining_ = true;
  subscriber_.drain();
}

bool ServiceNode::drained() const {
  return draining_ && deliveries_.empty() && put_results_.empty() && publisher_.in_window() == 0
         && !may_have_more_;
}

}  // namespace conga::kit
