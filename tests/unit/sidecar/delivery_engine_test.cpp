// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/delivery_engine.h"

#include "tests/unit/sidecar/engine_bench.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace std::chrono_literals;
using conga::Duration;
using conga::SteadyTime;
using conga::bus::Dispatch;
using conga::bus::LinkTarget;
using conga::bus::Sequence;
using conga::bus::testing::EngineBench;
using conga::bus::testing::target;

namespace {

LinkTarget patient(std::uint32_t max_attempts, Duration wait = 1s) {
  LinkTarget made = target("charge", "payment");
  made.retry.max_attempts = max_attempts;
  made.retry.backoff_initial = wait;
  return made;
}

std::size_t sent_to(const std::vector<Dispatch>& dispatched, std::string_view instance) {
  return static_cast<std::size_t>(
      std::count_if(dispatched.begin(), dispatched.end(), [&](const Dispatch& dispatch) {
        return dispatch.instance == instance;
      }));
}

}  // namespace

TEST_CASE("a delivery goes to a ready instance as attempt 1, and ok settles it") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.ready("payment", "p1");
  const auto sequence = bench.put();
  const auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].attempt == 1);
  CHECK(dispatched[0].event.sequence == sequence);
  CHECK(dispatched[0].instance == "p1");
  const auto sent = bench.now.wall;
  bench.pass(5ms);
  bench.ok(dispatched[0]);
  CHECK(bench.turn().empty());
  REQUIRE(bench.decided.settled.size() == 1);
  CHECK(bench.decided.settled[0].attempts == 1);
  CHECK(bench.decided.settled[0].instance == "p1");
  CHECK(bench.decided.settled[0].first_attempt == sent);
  CHECK(bench.decided.settled[0].last_attempt == sent);
  CHECK(bench.engine.pending() + bench.engine.in_flight() == 0);
}

TEST_CASE("a delivery is not sent before its event is durable, and delays none that is") {
  EngineBench bench;
  bench.table({target("charge", "payment"), target("tell", "mail")});
  bench.ready("payment", "p1");
  bench.ready("mail", "m1");
  bench.engine.set_durable(2);
  const auto first = bench.put();
  const auto second = bench.put();
  const auto third = bench.put(1);
  auto sent = bench.turn();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].event.sequence == first);
  CHECK(bench.turn().empty());
  const auto due = bench.engine.wake_at();
  REQUIRE(due);
  CHECK(*due > bench.now.steady);
  bench.engine.set_durable(3);
  sent = bench.turn();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].event.sequence == second);
  bench.engine.set_durable(4);
  sent = bench.turn();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].event.sequence == third);
}

TEST_CASE("without a ready instance a delivery waits and burns no attempt") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.put();
  for (int hour = 0; hour < 23; ++hour) {
    bench.pass(1h);
    CHECK(bench.turn().empty());
  }
  bench.ready("payment", "p1");
  const auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].attempt == 1);
}

TEST_CASE("without a ready instance until max-age a delivery becomes a dead letter") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.put();
  bench.pass(24h - 1us);
  bench.turn();
  CHECK(bench.decided.dead.empty());
  REQUIRE(bench.engine.wake_at());
  CHECK(*bench.engine.wake_at() == bench.now.steady + 1us);
  bench.pass(1us);
  bench.turn();
  REQUIRE(bench.decided.dead.size() == 1);
  const auto& dead = bench.decided.dead[0];
  CHECK(dead.code == "NoConsumer");
  CHECK(dead.condition == "MaximumEventAgeInSeconds");
  CHECK(dead.attempts == 0);
  CHECK_FALSE(dead.first_attempt);
}

TEST_CASE("credit is never exceeded, and given back by every ending") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.ready("payment", "p1", 2);
  for (int count = 0; count < 5; ++count) bench.put();
  auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 2);
  CHECK(bench.turn().empty());
  bench.ok(dispatched[0]);
  bench.reject(dispatched[1]);
  dispatched = bench.turn();
  REQUIRE(dispatched.size() == 2);
  bench.retry(dispatched[0]);
  CHECK(bench.turn().size() == 1);
  bench.ready("payment", "p1", 1);
  bench.ok(dispatched[1]);
  CHECK(bench.turn().empty());
}

TEST_CASE("credit 0 stops an instance without losing what it holds") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.ready("payment", "p1", 1);
  bench.put();
  const auto dispatched = bench.turn();
  bench.ready("payment", "p1", 0);
  bench.put();
  CHECK(bench.turn().empty());
  bench.ok(dispatched[0]);
  CHECK(bench.turn().empty());
  CHECK(bench.decided.settled.size() == 1);
  CHECK(bench.engine.pending() == 1);
}

TEST_CASE("instances share the work by free credit") {
  EngineBench bench;
  bench.table({patient(3)});
  bench.ready("payment", "p1", 30);
  bench.ready("payment", "p2", 10);
  for (int count = 0; count < 40; ++count) bench.put();
  const auto dispatched = bench.turn();
  CHECK(sent_to(dispatched, "p1") == 30);
  CHECK(sent_to(dispatched, "p2") == 10);
  // The first goes to the one with most room, and after that both are kept level.
  CHECK(dispatched[0].instance == "p1");
  CHECK(sent_to({dispatched.begin() + 20, dispatched.end()}, "p2") == 10);
}

TEST_CASE("a target whose service does not answer delays no other") {
  EngineBench bench;
  bench.table({target("slow", "stuck"), target("fast", "swift")});
  bench.ready("stuck", "s1", 1);
  bench.ready("swift", "f1", 1);
  for (int count = 0; count < 100; ++count) {
    bench.put(0);
    bench.put(1);
  }
  std::size_t done = 0;
  for (int round = 0; round < 100; ++round) {
    for (const Dispatch& dispatch : bench.turn()) {
      if (dispatch.instance != "f1") continue;
      bench.ok(dispatch);
      ++done;
    }
  }
  CHECK(done == 100);
}

TEST_CASE("two targets of one service take turns") {
  EngineBench bench;
  bench.table({target("one", "payment"), target("two", "payment")});
  for (int count = 0; count < 10; ++count) bench.put(0);
  for (int count = 0; count < 10; ++count) bench.put(1);
  bench.ready("payment", "p1", 10);
  const auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 10);
  CHECK(std::count_if(dispatched.begin(),
                      dispatched.end(),
                      [](const Dispatch& dispatch) { return dispatch.target == 0; })
        == 5);
}

TEST_CASE("retries wait exponentially longer, up to the maximum") {
  EngineBench bench;
  LinkTarget made = patient(185, 100ms);
  made.retry.backoff_max = 1s;
  bench.table({made});
  bench.put();
  const std::vector<Duration> expected{100ms, 200ms, 400ms, 800ms, 1s, 1s};
  for (const Duration wait : expected) {
    bench.ready("payment", "p1");
    const auto dispatched = bench.turn();
    REQUIRE(dispatched.size() == 1);
    bench.retry(dispatched[0]);
    CHECK(bench.turn().empty());
    REQUIRE(bench.decided.retries.size() == 1);
    CHECK(bench.decided.retries[0].attempt == dispatched[0].attempt);
    CHECK(bench.decided.retries[0].code == "Busy");
    CHECK(bench.decided.retries[0].due == bench.now.wall + wait);
    bench.pass(wait - 1us);
    CHECK(bench.turn().empty());
    REQUIRE(bench.engine.wake_at());
    CHECK(*bench.engine.wake_at() == bench.now.steady + 1us);
    bench.pass(1us);
  }
}

TEST_CASE("a delay that the service asks for wins when it is longer") {
  EngineBench bench;
  bench.table({patient(185, 1s)});
  bench.ready("payment", "p1");
  bench.put();
  bench.retry(bench.turn().at(0), 10ms);
  bench.turn();
  CHECK(bench.decided.retries[0].due == bench.now.wall + 1s);
  bench.pass(1s);
  bench.retry(bench.turn().at(0), 1min);
  bench.turn();
  CHECK(bench.decided.retries[0].due == bench.now.wall + 1min);
}

TEST_CASE("after max-attempts retries a delivery is a dead letter with the last reason") {
  for (const std::uint32_t retries : {0U, 1U, 3U}) {
    CAPTURE(retries);
    EngineBench bench;
    bench.table({patient(retries)});
    bench.put();
    const auto first = bench.now.wall;
    for (std::uint32_t attempt = 1; attempt <= retries + 1; ++attempt) {
      bench.ready("payment", "p1");
      const auto dispatched = bench.turn();
      REQUIRE(dispatched.size() == 1);
      CHECK(dispatched[0].attempt == attempt);
      bench.retry(dispatched[0]);
      bench.turn();
      if (attempt <= retries) bench.pass(1h);
    }
    REQUIRE(bench.decided.dead.size() == 1);
    const auto& dead = bench.decided.dead[0];
    CHECK(dead.attempts == retries + 1);
    CHECK(dead.condition == "MaximumRetryAttempts");
    CHECK(dead.code == "Busy");
    CHECK(dead.message == "try later");
    CHECK(dead.instance == "p1");
    CHECK(dead.first_attempt == first);
    CHECK(dead.last_attempt == bench.now.wall);
    CHECK(bench.engine.pending() == 0);
  }
}

TEST_CASE("reject is a dead letter at once, with no exhausted condition") {
  EngineBench bench;
  bench.table({patient(185)});
  bench.ready("payment", "p1");
  bench.put();
  bench.reject(bench.turn().at(0));
  bench.turn();
  REQUIRE(bench.decided.dead.size() == 1);
  CHECK(bench.decided.dead[0].code == "Poison");
  CHECK(bench.decided.dead[0].condition.empty());
  CHECK(bench.decided.dead[0].attempts == 1);
  CHECK(bench.decided.retries.empty());
}

TEST_CASE("what is not settled in time counts as a failed attempt and goes out again") {
  EngineBench bench;
  LinkTarget made = patient(185, 1s);
  made.retry.ack_timeout = 500ms;
  bench.table({made});
  bench.ready("payment", "p1");
  bench.put();
  const auto first = bench.turn().at(0);
  bench.pass(500ms - 1us);
  bench.turn();
  CHECK(bench.decided.retries.empty());
  bench.pass(1us);
  bench.turn();
  REQUIRE(bench.decided.retries.size() == 1);
  CHECK(bench.decided.retries[0].code == "AckTimeout");
  CHECK(bench.decided.retries[0].message.find("500ms") != std::string::npos);
  bench.pass(1s);
  const auto second = bench.turn();
  REQUIRE(second.size() == 1);
  CHECK(second[0].attempt == 2);
  CHECK(second[0].id != first.id);

  // The late answer is for an attempt that is over.
  bench.ok(first);
  bench.turn();
  CHECK(bench.decided.settled.empty());
  CHECK(bench.engine.counters().stale_settlements == 1);
  CHECK(bench.engine.in_flight() == 1);
}

TEST_CASE("a lost consumer's deliveries go to another instance at once, as the next attempt") {
  EngineBench bench;
  bench.table({patient(185, 1h)});
  bench.ready("payment", "p1");
  bench.put();
  bench.put();
  REQUIRE(bench.turn().size() == 2);
  bench.ready("payment", "p2");
  bench.engine.on_gone(bench.now, "payment", "p1");
  const auto again = bench.turn();
  REQUIRE(again.size() == 2);
  CHECK(sent_to(again, "p2") == 2);
  CHECK(again[0].attempt == 2);
  REQUIRE(bench.decided.retries.size() == 2);
  CHECK(bench.decided.retries[0].code == "ConsumerLost");
}

TEST_CASE("an event that kills every consumer ends in the dead letters, its neighbours do not") {
  EngineBench bench;
  bench.table({patient(2, 0s)});
  const auto poison = bench.put();
  const auto healthy = bench.put();
  std::set<conga::bus::Sequence> settled;
  std::vector<conga::bus::DeadLettered> dead;
  for (int life = 0; life < 5; ++life) {
    const std::string name = "p" + std::to_string(life);
    bench.ready("payment", name, 1);
    for (bool alive = true; alive;) {
      const auto dispatched = bench.turn();
      alive = !dispatched.empty() && dispatched[0].event.sequence != poison;
      if (alive) bench.ok(dispatched[0]);
    }
    bench.engine.on_gone(bench.now, "payment", name);
    bench.turn();
    dead.insert(dead.end(), bench.decided.dead.begin(), bench.decided.dead.end());
    for (const auto& ending : bench.decided.settled) settled.insert(ending.event.sequence);
  }
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].event.sequence == poison);
  CHECK(dead[0].attempts == 3);
  CHECK(dead[0].code == "ConsumerLost");
  CHECK(bench.engine.pending() == 0);
  CHECK(bench.engine.counters().settled == 1);
  CHECK(healthy > poison);
}

TEST_CASE("an instance that is silent for the heartbeat timeout is lost") {
  EngineBench bench;
  bench.table({patient(185)});
  bench.ready("payment", "p1");
  bench.put();
  bench.turn();
  bench.pass(2s);
  bench.ready("payment", "p1");
  bench.pass(2999ms);
  bench.turn();
  CHECK(bench.engine.in_flight() == 1);
  bench.pass(1ms);
  bench.turn();
  CHECK(bench.engine.in_flight() == 0);
  REQUIRE(bench.decided.retries.size() == 1);
  CHECK(bench.decided.retries[0].code == "ConsumerLost");
  CHECK(bench.engine.services().at(0).instances->all().empty());
}

TEST_CASE("a settlement counts only from the instance that holds the delivery") {
  EngineBench bench;
  bench.table({patient(185)});
  bench.ready("payment", "p1");
  bench.put();
  auto dispatch = bench.turn().at(0);
  dispatch.instance = "p2";
  bench.ok(dispatch);
  dispatch.instance = "p1";
  conga::Settlement settlement;
  settlement.id = dispatch.id;
  bench.engine.on_settlement(bench.now, "seating", "p1", settlement);
  ++settlement.id;
  bench.engine.on_settlement(bench.now, "payment", "p1", settlement);
  CHECK(bench.engine.counters().stale_settlements == 3);
  CHECK(bench.engine.in_flight() == 1);
  bench.ok(dispatch);
  bench.ok(dispatch);
  CHECK(bench.engine.in_flight() == 0);
  CHECK(bench.engine.counters().stale_settlements == 4);
}

TEST_CASE("a retry that would be due after max-age ends at max-age, not before and not after") {
  EngineBench bench;
  LinkTarget made = patient(185, 1s);
  made.retry.max_age = 60s;
  bench.table({made});
  bench.ready("payment", "p1");
  bench.put();
  bench.retry(bench.turn().at(0), 5min);
  bench.turn();
  bench.pass(60s - 1us);
  bench.turn();
  CHECK(bench.decided.dead.empty());
  bench.pass(1us);
  bench.turn();
  REQUIRE(bench.decided.dead.size() == 1);
  CHECK(bench.decided.dead[0].condition == "MaximumEventAgeInSeconds");
  CHECK(bench.decided.dead[0].code == "Busy");
  CHECK(bench.decided.dead[0].attempts == 1);
}

TEST_CASE("a policy that changes applies to what is pending") {
  EngineBench bench;
  bench.table({patient(185, 1h)});
  bench.ready("payment", "p1");
  bench.put();
  bench.retry(bench.turn().at(0));
  bench.turn();

  SUBCASE("a shorter backoff brings the retry forward") {
    bench.table({patient(185, 1s)});
    bench.pass(1s);
    CHECK(bench.turn().size() == 1);
  }
  SUBCASE("a shorter max-age ends it") {
    LinkTarget made = patient(185, 1h);
    made.retry.max_age = 60s;
    bench.pass(61s);
    bench.table({made});
    bench.turn();
    REQUIRE(bench.decided.dead.size() == 1);
    CHECK(bench.decided.dead[0].condition == "MaximumEventAgeInSeconds");
  }
  SUBCASE("fewer attempts end it") {
    bench.table({patient(0, 1h)});
    bench.turn();
    REQUIRE(bench.decided.dead.size() == 1);
    CHECK(bench.decided.dead[0].condition == "MaximumRetryAttempts");
  }
}

TEST_CASE("a target that leaves the rules turns its deliveries into dead letters") {
  EngineBench bench({.heartbeat_timeout = 3s, .endings_per_turn = 10});
  bench.table({patient(185), target("other", "seating")});
  for (int count = 0; count < 25; ++count) bench.put();
  bench.put(1);
  bench.ready("payment", "p1", 1);
  const auto held = bench.turn();
  REQUIRE(held.size() == 1);
  bench.table({target("other", "seating")});
  std::size_t dead = 0;
  for (int turn = 0; turn < 3; ++turn) {
    bench.turn();
    CHECK(bench.decided.dead.size() <= 10);
    dead += bench.decided.dead.size();
    for (const auto& letter : bench.decided.dead) {
      CHECK(letter.code == "TargetRemoved");
      CHECK(letter.message.find("charge") != std::string::npos);
    }
  }
  CHECK(dead == 24);
  CHECK(bench.engine.pending() == 1);
  CHECK_FALSE(bench.engine.find({"charge", "payment"}));

  // What an instance was already working on may still end well, or not.
  SUBCASE("well") {
    bench.ok(held[0]);
    bench.turn();
    CHECK(bench.decided.settled.size() == 1);
  }
  SUBCASE("not") {
    bench.retry(held[0]);
    bench.turn();
    REQUIRE(bench.decided.dead.size() == 1);
    CHECK(bench.decided.dead[0].code == "TargetRemoved");
    CHECK(bench.decided.dead[0].message.find("Busy") != std::string::npos);
  }
}

TEST_CASE("a target keeps its deliveries when its position in the table changes") {
  EngineBench bench;
  bench.table({target("one", "payment"), target("two", "seating")});
  bench.put(1);
  bench.table({target("two", "seating")});
  bench.ready("seating", "s1");
  CHECK(bench.turn().size() == 1);
  CHECK(bench.decided.dead.empty());
}

TEST_CASE("a target that moves to another service is delivered there") {
  EngineBench bench;
  LinkTarget made = patient(185);
  bench.table({made});
  bench.put();
  made.service = "cashier";
  bench.table({made});
  bench.ready("payment", "p1");
  CHECK(bench.turn().empty());
  bench.ready("cashier", "c1");
  CHECK(bench.turn().size() == 1);
}

TEST_CASE("recovered deliveries wait for the first table, then go on where they were") {
  EngineBench bench;
  const conga::bus::TargetName name{"charge", "payment"};
  bench.engine.recover(bench.now,
                       {.event = {1, 100},
                        .target = name,
                        .ingested = bench.now.wall - 1h,
                        .attempts = 0,
                        .due = bench.now.wall - 1h,
                        .first_attempt = {},
                        .last_attempt = {},
                        .last_code = {},
                        .last_message = {}});
  bench.engine.recover(bench.now,
                       {.event = {2, 200},
                        .target = name,
                        .ingested = bench.now.wall - 2h,
                        .attempts = 4,
                        .due = bench.now.wall + 10s,
                        .first_attempt = bench.now.wall - 1h,
                        .last_attempt = bench.now.wall - 1min,
                        .last_code = "Busy",
                        .last_message = "try later"});
  bench.ready("payment", "p1");
  CHECK(bench.turn().empty());
  CHECK_FALSE(bench.engine.targets().at(0).removed);
  bench.table({patient(185)});
  auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 1);
  bench.pass(10s);
  bench.ready("payment", "p1");
  dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 2);
  CHECK(dispatched[0].attempt == 5);
}

TEST_CASE("a wall clock set back before a restart makes no delivery wait longer than it had to") {
  EngineBench bench;
  const auto failed = bench.now.wall + 1h;
  bench.engine.recover(bench.now,
                       {.event = {1, 100},
                        .target = {"charge", "payment"},
                        .ingested = failed - 1min,
                        .attempts = 1,
                        .due = failed + 2s,
                        .first_attempt = failed - 1s,
                        .last_attempt = failed - 1s,
                        .last_code = "Busy",
                        .last_message = "try later",
                        .failed = failed});
  bench.table({patient(185)});
  bench.ready("payment", "p1");
  CHECK(bench.turn().empty());
  bench.pass(2s);
  CHECK(bench.turn().size() == 1);
}

TEST_CASE("recovered deliveries of a target that the first table lacks become dead letters") {
  EngineBench bench;
  bench.engine.recover(bench.now,
                       {.event = {1, 100},
                        .target = {"gone", "gone"},
                        .ingested = bench.now.wall,
                        .attempts = 1,
                        .due = bench.now.wall,
                        .first_attempt = bench.now.wall,
                        .last_attempt = bench.now.wall,
                        .last_code = "Busy",
                        .last_message = "try later"});
  bench.table({});
  bench.turn();
  REQUIRE(bench.decided.dead.size() == 1);
  CHECK(bench.decided.dead[0].code == "TargetRemoved");
  CHECK(bench.decided.dead[0].attempts == 1);
}

TEST_CASE("a wall clock that jumps neither floods nor stalls retries") {
  EngineBench bench;
  bench.table({patient(185, 10s)});
  bench.ready("payment", "p1");
  bench.put();
  bench.retry(bench.turn().at(0));
  bench.turn();
  bench.now.wall += 100h;
  CHECK(bench.turn().empty());
  CHECK(bench.decided.dead.empty());
  bench.now.wall -= 300h;
  bench.now.steady += 10s;
  bench.ready("payment", "p1");
  CHECK(bench.turn().size() == 1);
}

TEST_CASE("deliveries of one key go one after another, in order, whatever fails") {
  EngineBench bench;
  LinkTarget made = patient(185, 1s);
  made.ordering = "/detail/booking";
  bench.table({made});
  bench.ready("payment", "p1", 100);
  for (const conga::bus::OrderingKey key : {7U, 7U, 8U, 7U, 0U, 0U}) {
    bench.keys[bench.sequence + 1] = key;
    bench.put();
  }
  auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 4);  // the first of 7, that of 8, and those without a key
  CHECK(dispatched[0].event.sequence == 1);
  CHECK(dispatched[1].event.sequence == 3);
  CHECK(bench.engine.targets().at(0).parked == 2);

  bench.retry(dispatched[0]);
  CHECK(bench.turn().empty());
  bench.pass(1s);
  dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 1);
  bench.reject(dispatched[0]);
  dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 2);
  bench.ok(dispatched[0]);
  dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 4);
  bench.ok(dispatched[0]);
  bench.turn();
  CHECK(bench.engine.pending() == 0);
  CHECK(bench.key_reads == 6);
}

TEST_CASE("order holds across a restart and when it is newly asked for") {
  EngineBench bench;
  bench.keys = {{1, 7}, {2, 7}};
  bench.engine.recover(bench.now,
                       {.event = {1, 100},
                        .target = {"charge", "payment"},
                        .ingested = bench.now.wall,
                        .attempts = 1,
                        .due = bench.now.wall + 1s,
                        .first_attempt = bench.now.wall,
                        .last_attempt = bench.now.wall,
                        .last_code = "Busy",
                        .last_message = "try later"});
  bench.sequence = 1;
  LinkTarget made = patient(185, 1s);
  made.ordering = "/detail/booking";
  bench.table({made});
  bench.put();
  bench.ready("payment", "p1", 100);
  CHECK(bench.turn().empty());
  bench.pass(1s);
  auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  CHECK(dispatched[0].event.sequence == 1);

  // Without order the second may go; with it again, a third waits for both.
  bench.table({patient(185, 1s)});
  CHECK(bench.turn().size() == 1);
  bench.keys[3] = 7;
  bench.table({made});
  bench.put();
  CHECK(bench.turn().empty());
  CHECK(bench.engine.targets().at(0).parked == 1);
}

TEST_CASE("removing an ordered target ends those that wait behind a key too") {
  EngineBench bench;
  LinkTarget made = patient(185, 1s);
  made.ordering = "/detail/booking";
  bench.table({made});
  bench.ready("payment", "p1", 100);
  for (int count = 0; count < 3; ++count) {
    bench.keys[bench.sequence + 1] = 7;
    bench.put();
  }
  const auto dispatched = bench.turn();
  REQUIRE(dispatched.size() == 1);
  bench.table({});
  bench.turn();
  CHECK(bench.decided.dead.size() == 2);
  bench.ok(dispatched[0]);
  CHECK(bench.turn().empty());
  CHECK(bench.engine.in_flight() == 0);
}

TEST_CASE("a delivery whose event cannot be read is given up with a reason") {
  EngineBench bench;
  bench.table({patient(185)});
  bench.ready("payment", "p1", 1);
  bench.put();
  bench.put();
  const auto dispatched = bench.turn();
  bench.engine.give_up(dispatched.at(0).id, "EventUnreadable", "segment 3 is damaged");
  CHECK(bench.turn().size() == 1);
  REQUIRE(bench.decided.dead.size() == 1);
  CHECK(bench.decided.dead[0].code == "EventUnreadable");
}

TEST_CASE("a paused target is sent nothing, its in-flight work may end, and others go on") {
  EngineBench bench;
  bench.table({target("r1", "payment"), target("r2", "payment")});
  bench.ready("payment", "p1");
  bench.put(0);
  const auto first = bench.turn();
  REQUIRE(first.size() == 1);
  bench.engine.set_paused(bench.now, {"r1", "payment"}, true);
  bench.put(0);
  bench.put(1);
  const auto second = bench.turn();
  REQUIRE(second.size() == 1);
  CHECK(second[0].target == bench.engine.target_at(1));
  bench.ok(first[0]);
  CHECK(bench.turn().empty());
  CHECK(bench.decided.settled.size() == 1);
  CHECK(bench.engine.targets()[0].paused);
  bench.engine.set_paused(bench.now, {"r1", "payment"}, false);
  CHECK(bench.turn().size() == 1);
}

TEST_CASE("a paused target's retries wait, and its deliveries still expire") {
  EngineBench bench;
  bench.table({target("r1", "payment")});
  bench.ready("payment", "p1");
  bench.put();
  const auto sent = bench.turn();
  bench.engine.set_paused(bench.now, {"r1", "payment"}, true);
  bench.retry(sent.at(0));
  for (int minute = 0; minute < 24 * 60; ++minute) {
    bench.ready("payment", "p1");
    CHECK(bench.turn().empty());
    bench.pass(1min);
  }
  bench.turn();
  REQUIRE(bench.decided.dead.size() == 1);
  CHECK(bench.decided.dead[0].condition == "MaximumEventAgeInSeconds");
}

TEST_CASE("a target may be paused before a table or a delivery names it, and reloads keep it so") {
  EngineBench bench;
  bench.engine.set_paused(bench.now, {"r1", "payment"}, true);
  bench.table({target("r1", "payment")});
  bench.ready("payment", "p1");
  bench.put();
  CHECK(bench.turn().empty());
  bench.table({target("r1", "payment")});
  CHECK(bench.turn().empty());
  CHECK(bench.engine.is_paused({"r1", "payment"}));
  CHECK_FALSE(bench.engine.is_paused({"r2", "payment"}));
}

TEST_CASE("max-in-flight holds over all instances, and every ending makes room") {
  EngineBench bench;
  LinkTarget limited = target("r1", "payment");
  limited.limits.max_in_flight = 3;
  bench.table({limited});
  bench.ready("payment", "p1");
  bench.ready("payment", "p2");
  for (int count = 0; count < 10; ++count) bench.put();
  auto sent = bench.turn();
  REQUIRE(sent.size() == 3);
  CHECK(bench.turn().empty());
  bench.ok(sent[0]);
  bench.reject(sent[1]);
  CHECK(bench.turn().size() == 2);
  bench.engine.on_gone(bench.now, "payment", "p1");
  bench.engine.on_gone(bench.now, "payment", "p2");
  bench.ready("payment", "p3");
  CHECK(bench.turn().size() == 3);
  CHECK(bench.engine.in_flight() == 3);
  limited.limits.max_in_flight = 0;
  bench.table({limited});
  CHECK(bench.engine.in_flight() + bench.turn().size() == 8);
}

TEST_CASE("a rate limit spaces deliveries, wakes by itself and slows no other target") {
  EngineBench bench;
  LinkTarget limited = target("r1", "payment");
  limited.limits.rate = 100;
  bench.table({limited, target("r2", "payment")});
  for (int count = 0; count < 1000; ++count) bench.put(0);
  std::size_t sent = 0;
  std::size_t free = 0;
  const auto end = bench.now.steady + 5s;
  while (bench.now.steady < end) {
    bench.ready("payment", "p1", 10'000);
    bench.put(1);
    for (const Dispatch& dispatch : bench.turn()) {
      (dispatch.target == bench.engine.target_at(0) ? sent : free) += 1;
      bench.ok(dispatch);
    }
    const auto next = bench.engine.wake_at();
    REQUIRE(next);
    CHECK(*next <= bench.now.steady + 10ms);
    bench.pass(std::max<Duration>(*next - bench.now.steady, 1ms));
  }
  CHECK(sent >= 500);
  CHECK(sent <= 515);  // A tenth of a second's worth may go at once.
  CHECK(free >= 400);
}

TEST_CASE("an attempt is counted as EventBridge counts it") {
  EngineBench bench;
  bench.table({target("r1", "payment")});
  bench.ready("payment", "p1");
  bench.put();
  bench.pass(2ms);
  auto sent = bench.turn();
  bench.pass(1s);
  bench.retry(sent.at(0));
  const conga::bus::TargetCounters& counted = *bench.engine.targets()[0].counters;
  CHECK(counted.invocations == 0);  // Only once it is settled or given up.
  CHECK(counted.to_complete.sum() == 1'002'000);
  bench.pass(2s);
  bench.ready("payment", "p1");
  sent = bench.turn();
  bench.ok(sent.at(0));
  bench.put();
  bench.reject(bench.turn().at(0));
  CHECK(counted.invocations == 2);
  CHECK(counted.attempts == 3);
  CHECK(counted.retry_attempts == 1);
  CHECK(counted.successful_attempts == 1);
  CHECK(counted.to_start.sum() == 2'000);
  CHECK(counted.to_success.sum() == 3'002'000);
}

TEST_CASE("a stuck instance is drained by its ack-timeouts and others take over") {
  EngineBench bench;
  LinkTarget entry = target("r1", "payment");
  entry.retry.ack_timeout = 5s;
  entry.retry.backoff_initial = 1ms;
  bench.table({entry});
  bench.ready("payment", "stuck", 4);
  for (int count = 0; count < 4; ++count) bench.put();
  REQUIRE(bench.turn().size() == 4);
  bench.ready("payment", "well", 10);
  std::size_t settled = 0;
  for (int second = 0; second < 60 && settled < 4; ++second) {
    bench.pass(1s);
    bench.ready("payment", "stuck", 4);  // It lives, and settles nothing.
    bench.ready("payment", "well", 10);
    for (const Dispatch& dispatch : bench.turn()) {
      if (dispatch.instance != "well") continue;
      bench.ok(dispatch);
      ++settled;
    }
  }
  CHECK(settled == 4);
}

TEST_CASE("a failing key parks alone, and goes on in order once it is settled") {
  EngineBench bench;
  LinkTarget ordered = target("r1", "payment");
  ordered.ordering = "/detail/key";
  ordered.retry.backoff_initial = 1s;
  bench.table({ordered});
  bench.ready("payment", "p1");
  for (Sequence at = 1; at <= 6; ++at) {
    bench.keys[at] = at % 2 == 1 ? 11 : 22;
    bench.put();
  }
  std::vector<Sequence> order;
  bool failed = false;
  for (int turn = 0; turn < 20; ++turn) {
    for (const Dispatch& dispatch : bench.turn()) {
      if (dispatch.event.sequence == 1 && !failed) {
        failed = true;
        bench.retry(dispatch);
        continue;
      }
      order.push_back(dispatch.event.sequence);
      bench.ok(dispatch);
    }
    if (turn == 10) {
      CHECK(order == std::vector<Sequence>{2, 4, 6});
      CHECK(bench.engine.targets()[0].parked == 2);
      bench.pass(2s);
      bench.ready("payment", "p1");
    }
  }
  CHECK(order == std::vector<Sequence>{2, 4, 6, 1, 3, 5});
}
