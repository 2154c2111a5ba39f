// SPDX-License-Identifier: Apache-2.0
//
// Rig: a ServiceNode on a table: its database survives it, its handlers are scripted, and the test
// is the bus.

#pragma once

#include "common/log/log.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"
#include "services/kit/service_node.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conga::kit::test {

inline Event make_event(const std::string& id_seed, const std::string& type = "Asked") {
  Event event;
  event.id = Uuid::v5(Uuid(), id_seed);
  event.source = "test";
  event.detail_type = type;
  event.correlation_id = "flow-1";
  event.hops = 2;
  event.key = "k";
  return event;
}

/// Counts in a table what it has handled, and answers with one fact.
class ScriptedHandlers final : public Handlers {
public:
  explicit ScriptedHandlers(Database& database) : database_(database) {}

  const Manifest& manifest() const override {
    static const Manifest kManifest{
        .service = "scripted",
        .source = "scripted",
        .consumes = {{"Asked", "{}"},
                     {"Huge", "{}"},
                     {"Failing", "{}"},
                     {"Wrong", "{}"},
                     {"Effect", "{}"},
                     {"Remind", "{}"},
                     {"Undeclared", "{}"}},
        .emits = {{"Answered", "{}"}, {"Completed", "{}"}, {"Reminded", "{}"}}};
    return kManifest;
  }

  Result<> migrate() override {
    static constexpr std::array<std::string_view, 1> kSteps{
        "CREATE TABLE handled(event_id TEXT NOT NULL) STRICT;"
        "CREATE TABLE completed(answer TEXT NOT NULL) STRICT;"};
    return database_.migrate("scripted", kSteps);
  }

  Result<Decision> handle(const EventView& event, const Time& now) override {
    const bool huge = event.detail_type == "Huge";
    const std::string row = huge ? std::string(4'000'000, 'x') : event.id.text();
    const auto stored = database_.run("INSERT INTO handled VALUES(?)", {row});
    if (!stored) return stored.failure();
    if (event.detail_type == "Failing") return fail(Fault::Transient, "not now", "Busy");
    if (event.detail_type == "Wrong") return fail(Fault::Permanent, "never", "Wrong");
    if (event.detail_type == "Effect") {
      return Decision{.facts = {}, .effect = Effect{.kind = "e", .key = "key-1", .payload = "p"}};
    }
    if (event.detail_type == "Remind") {
      return Decision{.facts = {},
                      .effect = {},
                      .timers = {{.name = "tea", .due = now.wall + std::chrono::minutes(3)}}};
    }
    const bool declared = event.detail_type != "Undeclared";
    return Decision{.facts = {{.type = declared ? "Answered" : "Oops", .detail = "\x80"}},
                    .effect = {}};
  }

  Result<std::string> perform(const Effect& effect) override {
    performed.push_back(effect.key);
    if (on_perform) on_perform();
    return answer;
  }

  Result<Facts> complete(const EventView& /*event*/,
                         const Effect& /*effect*/,
                         const Result<std::string>& result,
                         const Time& /*now*/) override {
    if (!result) return result.failure();
    const auto stored = database_.run("INSERT INTO completed VALUES(?)", {*result});
    if (!stored) return stored.failure();
    return Facts{{.type = "Completed", .detail = "\x80"}};
  }

  std::optional<Error> unfinished(const std::string& answered) const override {
    if (answered != "half") return std::nullopt;
    return Error{.fault = Fault::Transient, .what = "the other half", .code = "Half"};
  }

  Result<Facts> on_timer(const std::string& name, const Time& /*now*/) override {
    fired.push_back(name);
    if (timer_fault) return fail(Fault::Transient, "not now", "Busy");
    return Facts{{.type = "Reminded", .detail = "\x80"}};
  }

  std::vector<std::string> fired;
  bool timer_fault = false;
  std::vector<std::string> performed;
  Result<std::string> answer = std::string("done");
  std::function<void()> on_perform;

private:
  Database& database_;
};

/// Effects that end when the test says so.
class EffectsByHand final : public EffectRunner {
public:
  void start(std::uint64_t ticket, const Effect& /*effect*/) override { started.push_back(ticket); }

  std::vector<Finished> take_finished() override { return std::exchange(finished, {}); }

  std::vector<std::uint64_t> started;
  std::vector<Finished> finished;
};

class Rig {
public:
  /// `effects_by_hand`: the test ends effects itself.
  explicit Rig(bool effects_by_hand = false) : by_hand(effects_by_hand) { start(); }

  /// A new node over what the old one left in the database.
  void start() {
    node.reset();
    handlers = std::make_unique<ScriptedHandlers>(*database);
    effects = by_hand ? std::make_unique<EffectsByHand>() : inline_effects(*handlers);
    ServiceOptions options;
    options.service = "scripted";
    options.instance = "scripted-1";
    options.nonce = 7;
    auto opened = ServiceNode::open(std::move(options), *handlers, *effects, *database, log);
    REQUIRE(opened);
    node = std::move(*opened);
    greet();
  }

  void deliver(DeliveryId id, const Event& event) {
    const std::string bytes = encode(event);
    deliver_bytes(id, bytes);
  }

  void deliver_bytes(DeliveryId id, const std::string& bytes) {
    Frame frame{.channel = Channel::Bus, .topic = "deliver/scripted/scripted-1", .body = {}};
    append(frame.body, DeliveryView{.id = id, .attempt = 1, .rule = "r", .event = bytes});
    node->on_frame(now, frame);
  }

  void answer_put(const std::string& event_id, const std::string& code = {}) {
    Frame frame{.channel = Channel::Bus, .topic = "put-result/scripted-1", .body = {}};
    append(frame.body, PutResult{.event_id = event_id, .code = code, .message = "why"});
    node->on_frame(now, frame);
  }

  /// Ends the turn; keeps what was sent.
  void turn() {
    sent.clear();
    node->on_time(now);
    REQUIRE(node->commit(now, sent));
    now.steady += std::chrono::milliseconds(1);
    now.wall += std::chrono::milliseconds(1);
  }

  /// The settlements of the last turn, by delivery id.
  std::map<DeliveryId, Settlement> settlements() const {
    std::map<DeliveryId, Settlement> found;
    for_each("settle/", [&found](std::string_view& body) {
      const auto settlement = take_settlement(body);
      REQUIRE(settlement);
      found[settlement->id] = *settlement;
    });
    return found;
  }

  /// The events put in the last turn.
  std::vector<Event> puts() const {
    std::vector<Event> found;
    for_each("put/", [&found](std::string_view& body) {
      const auto value = Value::take(body);
      REQUIRE(value);
      const auto event = read_event(value->bytes());
      REQUIRE(event);
      found.push_back(conga::to_event(*event));
    });
    return found;
  }

  std::int64_t count(const std::string& table) {
    const auto row = database->one("SELECT COUNT(*) FROM " + table);
    REQUIRE(row);
    return (*row)->integer(0);
  }

  std::unique_ptr<Database> database = Database::in_memory();
  std::unique_ptr<ScriptedHandlers> handlers;
  bool by_hand;
  std::unique_ptr<EffectRunner> effects;
  Log log = Log::null();
  std::unique_ptr<ServiceNode> node;
  Time now{.steady = SteadyTime(std::chrono::hours(1)), .wall = WallTime(std::chrono::hours(1000))};
  std::vector<Frame> sent;

private:
  template <class Take>
  void for_each(std::string_view prefix, Take take) const {
    for (const Frame& frame : sent) {
      if (!std::string_view(frame.topic).starts_with(prefix)) continue;
      std::string_view body = frame.body;
      while (!body.empty()) take(body);
    }
  }

  void greet() {
    turn();
    for (const Frame& frame : sent) {
      if (frame.topic != "ask/scripted-1") continue;
      std::string_view body = frame.body;
      const auto ask = take_ask(body);
      REQUIRE(ask);
      Frame answer{.channel = Channel::Bus, .topic = "answer/scripted-1", .body = {}};
      append_answer(answer.body, ask->request, "\x80");
      node->on_frame(now, answer);
    }
    REQUIRE(node->ready());
  }
};

}  // namespace conga::kit::test
