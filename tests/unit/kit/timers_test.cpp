// SPDX-License-Identifier: Apache-2.0

#include "services/kit/timers.h"

#include "tests/unit/kit/rig.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using conga::Settlement;
using conga::kit::test::make_event;
using conga::kit::test::Rig;

namespace {

void pass(Rig& rig, conga::Duration time) {
  rig.now.steady += time;
  rig.now.wall += time;
}

/// A rig whose timer is set for three minutes from now.
void remind(Rig& rig) {
  rig.deliver(1, make_event("a", "Remind"));
  rig.turn();
  REQUIRE(rig.settlements().at(1).outcome == Settlement::Outcome::Ok);
}

}  // namespace

TEST_CASE("a timer fires once, when it is due, and its facts follow from the event that set it") {
  Rig rig;
  remind(rig);
  pass(rig, 179s);
  rig.turn();
  CHECK(rig.handlers->fired.empty());
  pass(rig, 1s);
  rig.turn();
  CHECK(rig.handlers->fired == std::vector<std::string>{"tea"});
  const auto puts = rig.puts();
  REQUIRE(puts.size() == 1);
  CHECK(puts[0].detail_type == "Reminded");
  CHECK(puts[0].causation_id == make_event("a").id);
  CHECK(puts[0].correlation_id == "flow-1");
  CHECK(puts[0].hops == 3);
  pass(rig, 1h);
  rig.turn();
  CHECK(rig.handlers->fired.size() == 1);
}

TEST_CASE("the node wants to be woken when a timer is due") {
  Rig rig;
  remind(rig);
  pass(rig, 3min - 100ms);
  rig.turn();
  REQUIRE(rig.node->wake_at());
  CHECK(*rig.node->wake_at() <= rig.now.steady + 100ms);
}

TEST_CASE("a timer survives a restart, and fires if it was due meanwhile") {
  Rig rig;
  remind(rig);
  pass(rig, 10min);
  rig.start();
  rig.turn();
  rig.turn();
  CHECK(rig.handlers->fired == std::vector<std::string>{"tea"});
}

TEST_CASE("a timer whose handler fails comes again, and nothing of the failure stays") {
  Rig rig;
  remind(rig);
  rig.handlers->timer_fault = true;
  pass(rig, 3min);
  rig.turn();
  CHECK(rig.puts().empty());
  rig.handlers->timer_fault = false;
  pass(rig, 11s);
  rig.turn();
  CHECK(rig.handlers->fired.size() == 2);
  CHECK(rig.puts().size() == 1);
}

TEST_CASE("a timer set again replaces itself, and can be cancelled") {
  const auto database = conga::kit::Database::in_memory();
  conga::kit::Timers timers(*database);
  REQUIRE(timers.migrate());
  const conga::WallTime noon(1000h);
  const conga::kit::Cause cause = {
      .id = {}, .correlation_id = {}, .traceparent = {}, .key = {}, .hops = 0};
  REQUIRE(timers.change({.name = "a", .due = noon}, cause));
  REQUIRE(timers.change({.name = "a", .due = noon + 1h}, cause));
  REQUIRE(timers.change({.name = "b", .due = noon + 2h}, cause));
  CHECK(timers.take(noon, 10)->empty());
  CHECK(*timers.next() == noon + 1h);
  REQUIRE(timers.change({.name = "a", .due = std::nullopt}, cause));
  CHECK(*timers.next() == noon + 2h);
  CHECK(timers.take(noon + 3h, 10)->size() == 1);
  CHECK_FALSE(timers.next()->has_value());
}
