// SPDX-License-Identifier: Apache-2.0
//
// What the sidecar itself puts on the bus: that a delivery became a dead letter.

#include "bus/sidecar/letter_news.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace std::chrono_literals;
using conga::PutResult;
using conga::Settlement;
using conga::bus::DeadLetter;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

constexpr std::string_view kPut = "put/conga.sidecar";

void begin(SidecarBench& bench) {
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1", 100);
  REQUIRE(bench.turn());
}

/// Lets one event end as a dead letter; what the sidecar puts on the bus then.
std::string bury_one(SidecarBench& bench, const std::string& event) {
  bench.route(event);
  REQUIRE(bench.turn());
  bench.settle(bench.deliveries().at(0).id, Settlement::Outcome::Reject);
  REQUIRE(bench.turn());
  std::string put = bench.on(kPut);
  if (put.empty()) REQUIRE(bench.turn());
  return put.empty() ? bench.on(kPut) : put;
}

/// The forwarder routed what the sidecar put: to nobody.
void route_back(SidecarBench& bench, const std::string& event) {
  bench.frame(std::string(conga::bus::kRoutedTopic),
              encode(conga::bus::testing::with_event({.boot = 77,
                                                      .generation = bench.generation,
                                                      .sequence = ++bench.sequence,
                                                      .client = conga::bus::kSidecarClient},
                                                     event)));
}

}  // namespace

TEST_CASE("a dead letter is announced on the bus with its reason and its lineage") {
  SidecarBench bench;
  begin(bench);
  const std::string event = bench.make_event("B7");
  const std::string put = bury_one(bench, event);
  const auto told = conga::read_event(put);
  const auto cause = conga::read_event(event);
  REQUIRE(told);
  CHECK(told->source == "conga.dlq");
  CHECK(told->detail_type == "EventDeadLettered");
  CHECK(told->correlation_id == "B7");
  CHECK(told->causation_id == cause->id);
  const std::string detail = conga::to_json(told->detail);
  CHECK(detail.find(R"("number":1,"rule":"charge","target":"payment")") != std::string::npos);
  CHECK(detail.find(R"("error-code":"Declined")") != std::string::npos);
}

TEST_CASE("an announcement is put again, also after a crash, until it is durable") {
  SidecarBench bench;
  begin(bench);
  const std::string put = bury_one(bench, bench.make_event());
  bench.pass(1s);
  REQUIRE(bench.turn());
  CHECK(bench.on(kPut) == put);  // nobody answered

  bench.start();
  begin(bench);
  REQUIRE(bench.turn());
  CHECK(bench.on(kPut).find(put) == std::string::npos);  // was it in the turn of begin()?
  bench.pass(1s);
  REQUIRE(bench.turn());
  CHECK(bench.on(kPut) == put);

  route_back(bench, put);
  REQUIRE(bench.turn());
  CHECK(bench.on("put-result/conga.sidecar").empty());
  CHECK(bench.disk.synced_letters.begin()->second.announced);
  bench.pass(1min);
  REQUIRE(bench.turn());
  CHECK(bench.on(kPut).empty());
  bench.start();
  begin(bench);
  bench.pass(1min);
  REQUIRE(bench.turn());
  CHECK(bench.on(kPut).empty());
}

TEST_CASE("an announcement does not count as accepted before the journal has synced") {
  SidecarBench bench;
  begin(bench);
  const std::string put = bury_one(bench, bench.make_event());
  route_back(bench, put);
  bench.disk.sync_fails = true;
  REQUIRE_FALSE(bench.turn());
  CHECK_FALSE(bench.disk.letters.begin()->second.announced);
}

TEST_CASE("the forwarder's own answers count too: refused for good is not put again") {
  SidecarBench bench;
  begin(bench);
  const std::string put = bury_one(bench, bench.make_event());
  const std::string id = conga::read_event(put)->id.text();
  std::string results;
  SUBCASE("to be put again") {
    append(results, PutResult{.event_id = id, .code = "Unavailable", .message = "later"});
    bench.frame("put-result/conga.sidecar", results);
    bench.pass(2s);
    REQUIRE(bench.turn());
    CHECK(bench.on(kPut) == put);
  }
  SUBCASE("refused") {
    append(results, PutResult{.event_id = id, .code = "EventTooLarge", .message = "no"});
    bench.frame("put-result/conga.sidecar", results);
    bench.pass(2s);
    REQUIRE(bench.turn());
    CHECK(bench.on(kPut).empty());
    CHECK(bench.disk.letters.begin()->second.announced);
  }
}

TEST_CASE("there is no announcement of conga's own events, nor if none are wanted") {
  SidecarBench bench;
  SUBCASE("conga's own") {
    begin(bench);
    conga::Event own;
    own.id = bench.ids.make(bench.now.wall);
    own.source = "conga.dlq";
    own.detail_type = "EventDeadLettered";
    CHECK(bury_one(bench, encode(own)).empty());
  }
  SUBCASE("not wanted") {
    bench.options.announce_dead_letters = false;
    bench.start();
    begin(bench);
    CHECK(bury_one(bench, bench.make_event()).empty());
  }
  CHECK(bench.disk.letters.size() == 1);
}

TEST_CASE("the announcement of a loop is within the hops that the loop exceeded") {
  SidecarBench bench;
  conga::Event event;
  event.id = bench.ids.make(bench.now.wall);
  event.source = "shop";
  event.detail_type = "Paid";
  event.hops = 65;
  DeadLetter letter;
  letter.event = encode(event);
  letter.event_id = event.id.text();
  letter.error_code = "LoopDetected";
  CHECK(conga::bus::announcement_of(letter).hops == 64);
  letter.error_code = "Declined";
  CHECK(conga::bus::announcement_of(letter).hops == 65);
}

TEST_CASE("a storm of dead letters is announced in portions, all of it") {
  SidecarBench bench;
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1", 1000);
  for (int each = 0; each < 1000; ++each) bench.route(bench.make_event());
  REQUIRE(bench.turn());
  for (const auto& delivery : bench.deliveries()) {
    bench.settle(delivery.id, Settlement::Outcome::Reject);
  }
  std::size_t told = 0;
  for (int turn = 0; turn < 20; ++turn) {
    REQUIRE(bench.turn());
    const std::string put = bench.on(kPut);
    std::string_view rest = put;
    while (!rest.empty()) {
      REQUIRE(conga::take_event(rest));
      ++told;
    }
  }
  CHECK(told == 1000);
}
