// SPDX-License-Identifier: Apache-2.0
//
// EngineBench: a DeliveryEngine with a clock that the test moves, and short words for what tests
// do with it.

#pragma once

#include "bus/sidecar/delivery_engine.h"

#include <map>
#include <string>
#include <vector>

namespace conga::bus::testing {

inline LinkTarget target(std::string rule, std::string service) {
  LinkTarget target;
  target.rule = std::move(rule);
  target.target = service;
  target.service = std::move(service);
  target.retry.jitter = RetryPolicy::Jitter::None;
  return target;
}

class EngineBench {
public:
  explicit EngineBench(EngineOptions options = {})
      : engine(
          options,
          1,
          [this](const EventRef& event, const std::string& /*pointer*/) {
            ++key_reads;
            return keys[event.sequence];
          },
          random) {}

  void table(std::vector<LinkTarget> targets) { engine.set_table(now, targets); }

  /// Accepts an event for the table's target at `position`.
  Sequence put(std::size_t position = 0) {
    engine.accept(now, engine.target_at(position), {++sequence, sequence * 100});
    return sequence;
  }

  void ready(const std::string& service, const std::string& instance, std::uint32_t credit = 10) {
    engine.on_ready(now, service, instance, credit);
  }

  void pass(Duration time) {
    now.steady += time;
    now.wall += time;
  }

  /// One turn: what it dispatched, decisions collected in `decided`.
  std::vector<Dispatch> turn() {
    engine.advance(now);
    std::vector<Dispatch> dispatched;
    while (auto dispatch = engine.next_dispatch(now)) {
      names.push_back(std::make_unique<std::string>(dispatch->instance));
      dispatch->instance = *names.back();
      dispatched.push_back(*dispatch);
    }
    decided = engine.take();
    return dispatched;
  }

  void settle(const Dispatch& dispatch, Settlement settlement) {
    settlement.id = dispatch.id;
    engine.on_settlement(now, engine.service_of(dispatch.target), dispatch.instance, settlement);
  }

  void ok(const Dispatch& dispatch) { settle(dispatch, {}); }

  void retry(const Dispatch& dispatch, std::optional<Duration> delay = std::nullopt) {
    settle(dispatch,
           {.id = 0,
            .outcome = Settlement::Outcome::Retry,
            .code = "Busy",
            .message = "try later",
            .delay = delay});
  }

  void reject(const Dispatch& dispatch) {
    settle(dispatch,
           {.id = 0,
            .outcome = Settlement::Outcome::Reject,
            .code = "Poison",
            .message = "cannot read it",
            .delay = {}});
  }

  Random random{42};
  Time now{SteadyTime(std::chrono::hours(1000)), WallTime(std::chrono::hours(500'000))};
  std::map<Sequence, OrderingKey> keys;
  int key_reads = 0;
  DeliveryEngine engine;
  Sequence sequence = 0;
  Decisions decided;
  std::vector<std::unique_ptr<std::string>> names;
};

}  // namespace conga::bus::testing
