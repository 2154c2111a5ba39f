// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_nodes.h"

#include "common/wire/event/event.h"
#include "common/wire/topics.h"
#include "tests/support/world.h"

#include <algorithm>

namespace conga::simulation {
namespace {

using std::chrono::milliseconds;

std::vector<std::string> topics_of(const std::string& client) {
  return {put_result_topic(client), answer_topic(client)};
}

std::vector<std::string> topics_of(const Consumer::Options& options) {
  return {deliver_topic(options.service, options.instance), answer_topic(options.instance)};
}

std::optional<SteadyTime> earlier(std::optional<SteadyTime> one, std::optional<SteadyTime> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

Settlement failure(DeliveryId id, Settlement::Outcome outcome, std::string code) {
  return {.id = id,
          .outcome = outcome,
          .code = std::move(code),
          .message = "as planned",
          .delay = std::nullopt};
}

}  // namespace

// --- EventPublisher ---

EventPublisher::EventPublisher(std::string client,
                               std::uint64_t nonce,
                               std::size_t number,
                               std::vector<PlannedEvent>& events)
    : client_(std::move(client)),
      number_(number),
      events_(events),
      offered_(events.size()),
      session_(client_, topics_of(client_), nonce, {}),
      publisher_(client_, {}) {}

void EventPublisher::on_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  if (topic && topic->kind == TopicKind::Answer) session_.on_answers(now, frame.body);
  if (topic && topic->kind == TopicKind::PutResult) publisher_.on_put_results(now, frame.body);
}

/// Not on its way, and either not answered or to be put again all the same.
bool EventPublisher::is_due(const PlannedEvent& event, std::size_t at) const {
  return event.publisher == number_ && !offered_[at] && (!event.answered || event.repeats > 0);
}

void EventPublisher::on_time(const Time& now) {
  publisher_.set_online(session_.greeted());
  for (const PutResult& result : publisher_.take_results()) {
    for (std::size_t at = 0; at < events_.size(); ++at) {
      PlannedEvent& event = events_[at];
      if (event.id.text() != result.event_id) continue;
      offered_[at] = false;
      if (event.answered && event.repeats > 0) --event.repeats;
      event.answered = event.answered || result.ok();
    }
  }
  for (std::size_t at = 0; at < events_.size(); ++at) {
    const PlannedEvent& event = events_[at];
    if (!is_due(event, at) || event.at > now.steady || !publisher_.has_room()) continue;
    offered_[at] = true;
    publisher_.offer(event.id, event.bytes);
  }
}

std::optional<SteadyTime> EventPublisher::wake_at() const {
  std::optional<SteadyTime> next = earlier(session_.wake_at(), publisher_.wake_at());
  for (std::size_t at = 0; at < events_.size(); ++at) {
    if (is_due(events_[at], at)) next = earlier(next, events_[at].at);
  }
  return next;
}

Result<> EventPublisher::commit(const Time& now, std::vector<Frame>& out) {
  session_.collect(now, out);
  publisher_.collect(now, out);
  return {};
}

std::vector<std::string> EventPublisher::subscriptions() const {
  return topics_of(client_);
}

// --- Consumer ---

Consumer::Consumer(Options options, const ConsumerTrade& trade, Random& random)
    : options_(std::move(options)),
      trade_(trade),
      random_(random),
      session_(options_.instance, topics_of(options_), options_.nonce, {}),
      subscriber_(options_.service, options_.instance, {.credit = options_.credit}) {}

void Consumer::on_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  if (topic && topic->kind == TopicKind::Answer) session_.on_answers(now, frame.body);
  if (!topic || topic->kind != TopicKind::Deliver) return;
  for (const Delivery& delivery : subscriber_.on_deliveries(frame.body)) consume(now, delivery);
}

void Consumer::consume(const Time& now, const Delivery& delivery) {
  const auto event = read_event(delivery.event);
  const auto planned = trade_.events.find(event ? event->id.text() : std::string());
  const bool poison =
      planned != trade_.events.end() && planned->second->failing == options_.service;
  const Moods& moods = trade_.moods;
  if (random_.chance(moods.silent)) return;
  if (random_.chance(moods.die)) dies_ = true;
  if (poison && planned->second->rejected) {
    subscriber_.settle(failure(delivery.id, Settlement::Outcome::Reject, "Unwanted"));
  } else if (poison || random_.chance(moods.retry)) {
    Settlement retry = failure(delivery.id, Settlement::Outcome::Retry, "Busy");
    if (random_.chance(moods.delay)) retry.delay = milliseconds(random_.below(3000));
    subscriber_.settle(std::move(retry));
  } else {
    Settlement settled{.id = delivery.id, .code = {}, .message = {}, .delay = std::nullopt};
    if (!random_.chance(moods.slow)) return subscriber_.settle(std::move(settled));
    later_.emplace_back(now.steady + milliseconds(random_.below(2000)), std::move(settled));
  }
}

void Consumer::on_time(const Time& now) {
  subscriber_.set_online(session_.greeted());
  std::erase_if(later_, [&](auto& settlement) {
    if (settlement.first > now.steady) return false;
    subscriber_.settle(std::move(settlement.second));
    return true;
  });
}

std::optional<SteadyTime> Consumer::wake_at() const {
  std::optional<SteadyTime> next = earlier(session_.wake_at(), subscriber_.wake_at());
  for (const auto& settlement : later_) next = earlier(next, settlement.first);
  return next;
}

Result<> Consumer::commit(const Time& now, std::vector<Frame>& out) {
  if (dies_) throw testing::CrashNow();
  session_.collect(now, out);
  subscriber_.collect(now, out);
  return {};
}

std::vector<std::string> Consumer::subscriptions() const {
  return topics_of(options_);
}

// --- Operator ---

Operator::Operator(std::string client, std::uint64_t nonce, std::vector<Question>& questions)
    : client_(std::move(client)),
      questions_(questions),
      session_(client_, {answer_topic(client_)}, nonce, {}) {
  for (Question& question : questions_) question.request.reset();
}

void Operator::on_frame(const Time& now, Frame& frame) {
  session_.on_answers(now, frame.body);
}

void Operator::on_time(const Time& now) {
  for (const Answer& answer : session_.take_answers()) {
    for (Question& question : questions_) {
      if (question.request != answer.request) continue;
      // There may be no table yet, or no way to the sidecar: later.
      question.answered = answer.ok || answer.code != "Unavailable";
      question.request.reset();
      if (!question.answered) question.at = now.steady + milliseconds(200);
    }
  }
  if (!session_.greeted()) return;
  for (Question& question : questions_) {
    if (question.answered || question.request || question.at > now.steady) continue;
    question.request = session_.ask(question.verb, question.arguments);
  }
}

std::optional<SteadyTime> Operator::wake_at() const {
  std::optional<SteadyTime> next = session_.wake_at();
  if (!session_.greeted()) return next;
  for (const Question& question : questions_) {
    if (!question.answered && !question.request) next = earlier(next, question.at);
  }
  return next;
}

Result<> Operator::commit(const Time& now, std::vector<Frame>& out) {
  session_.collect(now, out);
  return {};
}

std::vector<std::string> Operator::subscriptions() const {
  return {answer_topic(client_)};
}

}  // namespace conga::simulation
