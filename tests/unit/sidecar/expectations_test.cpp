// SPDX-License-Identifier: Apache-2.0
//
// Expectations through the Node: met, missed, told once, over restarts and reloads.

#include "bus/sidecar/expectation_watch.h"
#include "common/wire/event/packer.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using conga::Event;
using conga::bus::kExpectationTarget;
using conga::bus::LinkExpectation;
using conga::bus::LinkTable;
using conga::bus::SettledRecord;
using conga::bus::StoredEvent;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

constexpr std::string_view kPut = "put/conga.sidecar";

// With one target in the table: behind it the marks of the one expectation.
constexpr std::uint32_t kBegins = 1;
constexpr std::uint32_t kMeets = 2;

class ExpectBench : public SidecarBench {
public:
  ExpectBench() { begin({{.name = "ticket", .by = "/correlation-id", .within = 30s}}); }

  void begin(std::vector<LinkExpectation> expectations) {
    frame(std::string(conga::bus::kTableTopic),
          encode(LinkTable{.boot = 77,
                           .generation = ++generation,
                           .targets = {target("charge", "payment")},
                           .expectations = std::move(expectations)}));
    REQUIRE(turn());
  }

  /// A restart; what was not synced is lost.
  void restart() {
    start();
    begin({{.name = "ticket", .by = "/correlation-id", .within = 30s}});
  }

  std::string come(const std::string& flow, std::uint32_t mark) {
    std::string event = make_event(flow);
    route(event, {mark});
    REQUIRE(turn());
    return event;
  }

  /// What the sidecar puts on the bus in this turn, if anything.
  std::string told() const { return on(kPut); }

  /// The forwarder gives the sidecar's own event back: to be journalled, for nobody.
  void route_back(const std::string& event) {
    frame(std::string(conga::bus::kRoutedTopic),
          encode(conga::bus::testing::with_event({.boot = 77,
                                                  .generation = generation,
                                                  .sequence = ++sequence,
                                                  .client = conga::bus::kSidecarClient},
                                                 event)));
  }

  void accept(const std::string& event) {
    route_back(event);
    REQUIRE(turn());
    REQUIRE(turn());
  }

  std::string state() {
    ask("sidecar.status", "{}");
    REQUIRE(turn());
    const std::string text = answer();
    const auto at = text.find("\"expectations\":");
    return text.substr(at + 15, text.find(']', at) - at - 14);
  }
};

}  // namespace

TEST_CASE("what comes in time meets its expectation, and the journal forgets it") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  const auto events = bench.disk.all<StoredEvent>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].targets.at(0).target == kExpectationTarget);
  CHECK(bench.state() == R"([{"name":"ticket","open":1,"met":0,"missed":0,"passed-over":0}])");
  bench.pass(29s);
  bench.come("B1", kMeets);
  const auto ends = bench.disk.all<SettledRecord>();
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].sequence == events[0].sequence);
  CHECK(ends[0].code.empty());
  bench.pass(1h);
  REQUIRE(bench.turn());
  CHECK(bench.told().empty());
  CHECK(bench.state() == R"([{"name":"ticket","open":0,"met":1,"missed":0,"passed-over":0}])");
}

TEST_CASE("what stays away is told, with what it was waited for after") {
  ExpectBench bench;
  const std::string after = bench.come("B1", kBegins);
  bench.pass(10s);
  bench.come("B2", kMeets);  // another flow's
  REQUIRE(bench.node->wake_at());
  bench.pass(20s);
  REQUIRE(bench.turn());
  const std::string put = bench.told();
  const auto told = conga::read_event(put);
  REQUIRE(told);
  CHECK(told->source == "conga.expectations");
  CHECK(told->detail_type == "ExpectationMissed");
  CHECK(told->correlation_id == "B1");
  CHECK(told->causation_id == conga::read_event(after)->id);
  const std::string detail = to_json(told->detail);
  CHECK(detail.find(R"("expectation":"ticket","within":"30s","by":"/correlation-id")")
        != std::string::npos);
  CHECK(detail.find(R"("after-detail-type":"BookingCreated")") != std::string::npos);
}

TEST_CASE("a miss is told until it is durable, by the same event, and then no more") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  bench.pass(31s);
  REQUIRE(bench.turn());
  const std::string told = bench.told();
  REQUIRE_FALSE(told.empty());
  CHECK(bench.disk.all<SettledRecord>().empty());

  bench.restart();
  if (bench.told().empty()) REQUIRE(bench.turn());
  if (bench.told().empty()) bench.pass(1s);
  if (bench.told().empty()) REQUIRE(bench.turn());
  CHECK(bench.told() == told);
  bench.accept(told);
  REQUIRE(bench.disk.all<SettledRecord>().size() == 1);
  CHECK(bench.disk.all<SettledRecord>()[0].code == "ExpectationMissed");
  bench.restart();
  bench.pass(1h);
  REQUIRE(bench.turn());
  CHECK(bench.told().empty());
}

TEST_CASE("the time that a sidecar is down counts, and what comes late does not meet any more") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  bench.pass(40s);
  bench.start();
  bench.begin({{.name = "ticket", .by = "/correlation-id", .within = 30s}});
  const std::string early = bench.told();
  bench.come("B1", kMeets);
  CHECK_FALSE((early + bench.told()).empty());
}

TEST_CASE("an open expectation survives a restart and can be met after it") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  bench.restart();
  bench.pass(5s);
  bench.come("B1", kMeets);
  CHECK(bench.disk.all<SettledRecord>().size() == 1);
}

TEST_CASE("an event put again meets once more, for a crash may have lost that it did") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  const std::string expected = bench.come("B1", kMeets);
  // The word that it was met is lost, and the event itself is not.
  std::erase_if(bench.disk.records,
                [](const auto& record) { return std::holds_alternative<SettledRecord>(record); });
  bench.disk.synced = bench.disk.records.size();
  bench.restart();
  bench.route(expected, {kMeets});
  REQUIRE(bench.turn());
  bench.pass(1min);
  REQUIRE(bench.turn());
  CHECK(bench.told().empty());
}

TEST_CASE("an expectation that has left the rules ends without a word") {
  ExpectBench bench;
  bench.come("B1", kBegins);
  SUBCASE("while the sidecar runs") {
    bench.begin({});
  }
  SUBCASE("over a restart") {
    bench.start();
    bench.begin({});
  }
  REQUIRE(bench.turn());
  REQUIRE(bench.disk.all<SettledRecord>().size() == 1);
  CHECK(bench.disk.all<SettledRecord>()[0].code == "ExpectationRemoved");
  bench.pass(1h);
  REQUIRE(bench.turn());
  CHECK(bench.told().empty());
}

TEST_CASE("an event without the key, or beyond the limit, is passed over and counted") {
  ExpectBench bench;
  bench.come("", kBegins);
  CHECK(bench.state() == R"([{"name":"ticket","open":0,"met":0,"missed":0,"passed-over":1}])");
  bench.options.most_expectations = 2;
  bench.restart();
  for (const char* flow : {"B1", "B2", "B3"}) bench.come(flow, kBegins);
  CHECK(bench.state() == R"([{"name":"ticket","open":2,"met":0,"missed":0,"passed-over":1}])");
  CHECK(bench.disk.all<StoredEvent>().back().targets.empty());
}

TEST_CASE("one event may end what it expects and begin it anew: a heartbeat") {
  ExpectBench bench;
  for (int beat = 0; beat < 3; ++beat) {
    bench.route(bench.make_event("pump-1"), {kBegins, kMeets});
    REQUIRE(bench.turn());
    bench.pass(20s);
  }
  CHECK(bench.state() == R"([{"name":"ticket","open":1,"met":2,"missed":0,"passed-over":0}])");
  bench.pass(20s);
  REQUIRE(bench.turn());
  CHECK_FALSE(bench.told().empty());
}

TEST_CASE("a mark of an expectation that the table does not have is malformed") {
  ExpectBench bench;
  bench.route(bench.make_event(), {3});
  REQUIRE(bench.turn());
  CHECK(bench.results().empty());
  CHECK(bench.disk.all<StoredEvent>().empty());
}

TEST_CASE("a thousand misses at once are told in portions, each once") {
  ExpectBench bench;
  for (int each = 0; each < 1500; ++each) {
    bench.route(bench.make_event("B" + std::to_string(each)), {kBegins});
  }
  REQUIRE(bench.turn());
  bench.pass(31s);
  std::set<std::string> told;
  for (int turn = 0; turn < 60 && told.size() < 1500; ++turn) {
    REQUIRE(bench.turn());
    const std::string put = bench.told();
    std::string_view rest = put;
    while (!rest.empty()) {
      const auto event = conga::take_event(rest);
      REQUIRE(event);
      CHECK(told.insert(event->id.text()).second);
      bench.route_back(std::string(event->bytes));
    }
  }
  REQUIRE(bench.turn());
  REQUIRE(bench.turn());
  CHECK(told.size() == 1500);
  CHECK(bench.disk.all<SettledRecord>().size() == 1500);
}

TEST_CASE("an expected event that has overtaken what it follows meets it all the same") {
  ExpectBench bench;
  const std::string after = bench.make_event("B1");  // made first …
  bench.pass(20ms);
  bench.come("B1", kMeets);
  bench.pass(20ms);
  bench.route(after, {kBegins});  // … and come last
  REQUIRE(bench.turn());
  REQUIRE(bench.turn());
  CHECK(bench.state() == R"([{"name":"ticket","open":0,"met":1,"missed":0,"passed-over":0}])");
  CHECK(bench.disk.all<SettledRecord>().size() == 1);
  // One that was made afterwards is waited for anew.
  bench.come("B1", kBegins);
  CHECK(bench.state() == R"([{"name":"ticket","open":1,"met":1,"missed":0,"passed-over":0}])");
}
