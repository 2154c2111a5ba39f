// SPDX-License-Identifier: Apache-2.0
//
// Redrives through the Node: canaries, rate, what stops one, and what a crash leaves.

#include "bus/sidecar/audit_log.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using conga::Settlement;
using conga::bus::AuditLog;
using conga::bus::LinkTarget;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

using Outcome = Settlement::Outcome;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::ptrdiff_t place(const std::vector<std::string>& log, std::string_view entry) {
  return std::find(log.begin(), log.end(), entry) - log.begin();
}

/// A sidecar with `letters` dead letters of rule charge, target payment, code Declined.
class RedriveBench : public SidecarBench {
public:
  explicit RedriveBench(std::size_t letters = 1) {
    options.alive_interval = 1h;  // so that nothing else wakes the node
    options.announce_dead_letters = false;
    start();
    begin();
    for (std::size_t each = 0; each < letters; ++each) route(make_event());
    REQUIRE(turn());
    settle_all(Outcome::Reject);
    REQUIRE(disk.letters.size() == letters);
    pass(1ms);
  }

  void begin() {
    LinkTarget payment = target("charge", "payment");
    payment.retry.jitter = conga::bus::RetryPolicy::Jitter::None;
    table({payment});
    ready("payment", "p1", 1000);
    REQUIRE(turn());
  }

  /// Ends all deliveries of the latest turn, and takes a turn.
  std::size_t settle_all(Outcome outcome) {
    const auto out = deliveries();
    for (const auto& delivery : out) settle(delivery.id, outcome);
    REQUIRE(turn());
    return out.size();
  }

  std::string redrive(const std::string& arguments, std::uint64_t request = 1) {
    ask("dlq.redrive", arguments, request);
    REQUIRE(turn());
    return answer();
  }

  /// The task, as it is after this turn.
  std::string task(int number = 1) {
    ask("dlq.tasks", R"({"task":)" + std::to_string(number) + "}", 1000);
    REQUIRE(turn());
    return answer();
  }
};

}  // namespace

TEST_CASE("redrive delivers the same event anew, durably, before its dead letter goes") {
  RedriveBench bench;
  const std::string event = bench.disk.letters.begin()->second.event;
  CHECK(contains(bench.redrive(R"({"numbers":[1]})"), R"("task":1,"state":"redriving")"));
  const auto& log = bench.did;
  CHECK(place(log, "event") < place(log, "sync"));
  CHECK(place(log, "sync") < place(log, "remove"));
  CHECK(place(log, "remove") < place(log, "letters-sync"));
  CHECK(bench.disk.letters.empty());
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].event == event);
  CHECK(bench.deliveries()[0].attempt == 1);
  CHECK(contains(bench.task(), R"("state":"done")"));
  CHECK(contains(bench.task(), R"("redriven":1,"settled":0)"));

  bench.start();
  bench.begin();
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].event == event);
}

TEST_CASE("a poison event that is redriven and comes back is not redriven for ever") {
  RedriveBench bench;
  bench.redrive(R"({"all":true})");
  bench.pass(1ms);
  CHECK(bench.settle_all(Outcome::Reject) == 1);
  CHECK(bench.disk.letters.size() == 1);
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().empty());
  CHECK(contains(bench.task(), R"("state":"done")"));
  CHECK(contains(bench.task(), R"("dead-lettered":1)"));
}

TEST_CASE("the others wait until the canary is settled, and then go") {
  RedriveBench bench(5);
  CHECK(contains(bench.redrive(R"({"all":true,"canaries":1})"), R"("state":"canary")"));
  CHECK(bench.deliveries().size() == 1);
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().empty());
  CHECK_FALSE(*bench.node->wake_at() == bench.now.steady);  // waiting costs nothing

  bench.redrive(R"({"all":true,"canaries":1})");  // asked again: the same task
  CHECK(contains(bench.task(), R"("state":"canary","asked")"));
  CHECK(contains(bench.task(), R"("total":5,"redriven":1,"settled":0)"));
  CHECK(bench.disk.letters.size() == 4);
}

TEST_CASE("a settled canary lets the others go") {
  RedriveBench bench(5);
  bench.redrive(R"({"all":true,"canaries":1})");
  CHECK(bench.settle_all(Outcome::Ok) == 1);
  REQUIRE(bench.turn());
  CHECK(bench.settle_all(Outcome::Ok) == 4);
  CHECK(contains(bench.task(), R"("state":"done")"));
  CHECK(contains(bench.task(), R"("total":5,"redriven":5,"settled":5,"dead-lettered":0)"));
  CHECK(bench.disk.letters.empty());
}

TEST_CASE("a canary that fails stops the redrive, whatever the cause and even if it is retried") {
  RedriveBench bench(5);
  bench.redrive(R"({"all":true,"canaries":2})");
  CHECK(bench.deliveries().size() == 2);
  SUBCASE("retried") {
    CHECK(bench.settle_all(Outcome::Retry) == 2);
  }
  SUBCASE("a dead letter again") {
    CHECK(bench.settle_all(Outcome::Reject) == 2);
  }
  const std::string task = bench.task();
  CHECK(contains(task, R"("state":"stopped")"));
  CHECK(contains(task, R"("stop":{"number":1,"event-id":")"));
  CHECK(contains(task, R"("code":"Declined","message":"no"})"));
  CHECK(contains(task, R"("redriven":2)"));
}

TEST_CASE("at a rate dead letters go one by one, and the node asks to be woken for the next") {
  RedriveBench bench(5);
  bench.redrive(R"({"all":true,"rate":10})");
  CHECK(bench.deliveries().size() == 1);
  CHECK(*bench.node->wake_at() == bench.now.steady + 100ms);
  bench.pass(250ms);
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() == 2);
  bench.pass(1s);
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() == 2);
  CHECK(contains(bench.task(), R"("state":"done")"));
}

TEST_CASE("the first failure with the same cause stops a redrive, another cause does not") {
  RedriveBench bench(5);
  bench.redrive(R"({"all":true,"rate":10})");
  const auto first = bench.deliveries();
  REQUIRE(first.size() == 1);
  SUBCASE("the same") {
    bench.settle(first[0].id, Outcome::Retry);  // with code Declined
    bench.pass(100ms);
    REQUIRE(bench.turn());
    CHECK(contains(bench.task(), R"("state":"stopped")"));
    CHECK(bench.disk.letters.size() >= 3);
  }
  SUBCASE("another") {
    bench.frame("link/gone/payment/p1", "");  // ConsumerLost
    bench.ready("payment", "p2", 1000);
    bench.pass(10s);
    REQUIRE(bench.turn());
    CHECK(contains(bench.task(), R"("state":"done")"));
  }
}

TEST_CASE("a redrive can be cancelled where it is") {
  RedriveBench bench(5);
  bench.redrive(R"({"all":true,"rate":1})");
  bench.ask("dlq.cancel", R"({"task":1})", 2);
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("state":"cancelled")"));
  bench.pass(1min);
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().empty());
  CHECK(bench.disk.letters.size() == 4);
}

TEST_CASE("a dead letter whose target is not in the rules is refused, and stays") {
  RedriveBench bench;
  bench.table({target("other", "seating")});
  REQUIRE(bench.turn());
  bench.redrive(R"({"numbers":[1]})");
  const std::string task = bench.task();
  CHECK(contains(task, R"("state":"done")"));
  CHECK(contains(task, R"("refused":1)"));
  CHECK(contains(task, R"("message":"target payment of rule charge is not in the rules)"));
  CHECK(bench.disk.letters.size() == 1);
}

TEST_CASE("a full journal stops a redrive and keeps the dead letters") {
  RedriveBench bench;
  bench.disk.full = true;
  bench.redrive(R"({"all":true})");
  CHECK(contains(bench.task(), R"("state":"stopped")"));
  CHECK(contains(bench.task(), R"("code":"JournalFull")"));
  CHECK(bench.disk.letters.size() == 1);
}

TEST_CASE("many redrives take several turns") {
  RedriveBench bench(500);
  bench.redrive(R"({"all":true})");
  CHECK(bench.disk.letters.size() == 300);
  CHECK(*bench.node->wake_at() == bench.now.steady);
  REQUIRE(bench.turn());
  REQUIRE(bench.turn());
  CHECK(bench.disk.letters.empty());
  CHECK(contains(bench.task(), R"("state":"done")"));
}

TEST_CASE("what operators change is in the audit, with who did it and what came of it") {
  RedriveBench bench(3);
  auto database = conga::bus::open_database(":memory:", conga::bus::DatabaseSync::Full);
  REQUIRE(database);
  bench.stores = [&] {
    auto made = bench.fake_stores();
    made.open_audit = [&] { return AuditLog::open(*database); };
    return made;
  };
  bench.start();
  bench.begin();
  bench.redrive(R"({"numbers":[1],"by":"ada@ops"})");
  REQUIRE(bench.turn());
  bench.ask("target.pause", R"({"target":"payment","by":"bob@ops"})", 2);
  bench.ask("dlq.purge", R"({"all":true})", 3);
  REQUIRE(bench.turn());
  bench.ask("audit.list", R"({"limit":2})", 4);
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("number":4)"));
  CHECK_FALSE(contains(bench.answer(), R"("number":2)"));

  bench.start();
  bench.ask("audit.list", R"({"before":4})", 1);
  REQUIRE(bench.turn());
  const std::string audit = bench.answer();
  CHECK(contains(audit, R"("by":"bob@ops","client":"cli-1","verb":"target.pause")"));
  CHECK(contains(audit, R"("by":"ada@ops","client":"cli-1","verb":"dlq.redrive")"));
  CHECK(contains(audit, R"(\"state\":\"redriving\")"));
  CHECK(contains(audit, R"(\"state\":\"done\")"));
}
