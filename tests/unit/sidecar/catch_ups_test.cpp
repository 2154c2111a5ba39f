// SPDX-License-Identifier: Apache-2.0
//
// CatchUps through the Node: a target that begins in the past gets what was there before, in order
// with what comes meanwhile, over reloads, crashes and full disks.

#include "bus/sidecar/catch_ups.h"

#include "common/io/small_files.h"
#include "tests/support/mem_files.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using conga::SteadyTime;
using conga::WallTime;
using conga::bus::kHorizon;
using conga::bus::LinkMatched;
using conga::bus::LinkTarget;
using conga::bus::SidecarStores;
using conga::bus::Start;
using conga::bus::StartedTargets;
using conga::bus::StartsByTarget;
using conga::bus::StoredEvent;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;
using conga::testing::MemFiles;

namespace {

constexpr const char* kFolder = "/journal";

LinkTarget late(std::optional<WallTime> start = kHorizon) {
  LinkTarget added = target("report", "ledger");
  added.start = start;
  return added;
}

/// `charge` for payment is there from the beginning.
class CatchUpBench {
public:
  CatchUpBench() {
    REQUIRE(files.make_directory(kFolder));
    bench.table({target("charge", "payment")});
    REQUIRE(bench.turn());
  }

  SidecarStores stores() {
    SidecarStores made = bench.fake_stores();
    made.open_started = [this] { return StartedTargets::open(files, kFolder); };
    return made;
  }

  std::string come(std::vector<std::uint32_t> targets = {0}) {
    std::string event = bench.make_event();
    bench.route(event, std::move(targets));
    REQUIRE(bench.turn());
    return event;
  }

  void add(const LinkTarget& added = late()) {
    bench.table({target("charge", "payment"), added});
    REQUIRE(bench.turn());
  }

  /// What the bus is asked in the turn that was.
  std::optional<conga::bus::LinkMatch> asked() {
    body = bench.on(conga::bus::kMatchTopic);
    if (body.empty()) return std::nullopt;
    const auto match = conga::bus::read_match(body);
    REQUIRE(match);
    return *match;
  }

  /// The bus answers that these of the events are for the target; the turn in which it does.
  void answer(std::uint64_t ticket, std::vector<std::uint32_t> indexes) {
    bench.frame(std::string(conga::bus::kMatchedTopic),
                encode(LinkMatched{.boot = 77,
                                   .generation = bench.generation,
                                   .ticket = ticket,
                                   .indexes = std::move(indexes)}));
    REQUIRE(bench.turn());
  }

  std::vector<std::string> delivered() {
    std::vector<std::string> events;
    for (const auto& each : bench.deliveries("deliver/ledger/l1")) events.push_back(each.event);
    return events;
  }

  /// What an instance with room for all gets.
  std::vector<std::string> deliver() {
    bench.ready("ledger", "l1", 100);
    REQUIRE(bench.turn());
    return delivered();
  }

  /// Turns until nothing is left to do, or to ask.
  void settle_down() {
    for (int turn = 0; turn < 5; ++turn) REQUIRE(bench.turn());
  }

  MemFiles files;
  SidecarBench bench{[this] { return stores(); }};
  std::string body;
};

}  // namespace

TEST_CASE("a target from the horizon gets what was there before, and then what came meanwhile") {
  CatchUpBench late_one;
  const std::string first = late_one.come();
  const std::string second = late_one.come();
  const std::string third = late_one.come();
  late_one.add();
  const auto asked = late_one.asked();
  REQUIRE(asked);
  CHECK(asked->target == 1);
  REQUIRE(asked->events == std::vector<std::string_view>{first, second, third});
  const std::string meanwhile = late_one.come({0, 1});
  CHECK(late_one.deliver().empty());
  late_one.answer(asked->ticket, {0, 2});
  CHECK(late_one.delivered() == std::vector<std::string>{first, third});
  REQUIRE(late_one.bench.turn());
  CHECK(late_one.delivered() == std::vector<std::string>{meanwhile});
}

TEST_CASE("what is owed late is durable, and a finished start is not begun again") {
  CatchUpBench late_one;
  const std::string first = late_one.come();
  late_one.add();
  const std::string meanwhile = late_one.come({0, 1});
  late_one.answer(1, {0});
  late_one.settle_down();
  late_one.bench.start();
  late_one.add();
  CHECK_FALSE(late_one.asked());
  CHECK(late_one.deliver() == std::vector<std::string>{first, meanwhile});
}

TEST_CASE("a crash amid a catch-up goes on with it, and keeps what came meanwhile behind it") {
  CatchUpBench late_one;
  const std::string first = late_one.come();
  late_one.add();
  const std::string meanwhile = late_one.come({0, 1});
  late_one.bench.start();
  late_one.add();
  const auto asked = late_one.asked();
  REQUIRE(asked);
  CHECK(asked->events == std::vector<std::string_view>{first});
  CHECK(late_one.deliver().empty());
  late_one.answer(asked->ticket, {0});
  CHECK(late_one.delivered() == std::vector<std::string>{first});
}

TEST_CASE("a start at a time leaves out what came before it") {
  CatchUpBench late_one;
  late_one.come();
  late_one.bench.pass(1h);
  const WallTime since = late_one.bench.now.wall;
  const std::string second = late_one.come();
  late_one.add(late(since));
  const auto asked = late_one.asked();
  REQUIRE(asked);
  CHECK(asked->events == std::vector<std::string_view>{second});
}

TEST_CASE("without a start, and for a target that is known, nothing is read") {
  CatchUpBench late_one;
  late_one.come();
  late_one.add(late(std::nullopt));
  CHECK_FALSE(late_one.asked());
  late_one.add(late());
  late_one.settle_down();
  CHECK_FALSE(late_one.asked());
}

TEST_CASE("a target that leaves the rules and comes back is new") {
  CatchUpBench late_one;
  late_one.come();
  late_one.add();
  late_one.answer(1, {});
  late_one.settle_down();
  late_one.bench.table({target("charge", "payment")});
  REQUIRE(late_one.bench.turn());
  late_one.add();
  CHECK(late_one.asked());
}

TEST_CASE("a target that leaves the rules while it catches up leaves dead letters, nothing else") {
  CatchUpBench late_one;
  late_one.come();
  late_one.add();
  late_one.come({0, 1});
  late_one.bench.table({target("charge", "payment")});
  late_one.settle_down();
  REQUIRE(late_one.bench.disk.letters.size() == 1);
  CHECK(late_one.bench.disk.letters.begin()->second.error_code == "TargetRemoved");
  CHECK(late_one.bench.disk.kept.empty());
}

TEST_CASE("what was redriven or owed late is no second event for others that begin in the past") {
  CatchUpBench late_one;
  const std::string first = late_one.come();
  late_one.add();
  late_one.answer(1, {0});
  late_one.settle_down();
  LinkTarget other = late();
  other.rule = other.target = "audit";
  late_one.bench.table({target("charge", "payment"), late(), other});
  REQUIRE(late_one.bench.turn());
  const auto asked = late_one.asked();
  REQUIRE(asked);
  CHECK(asked->target == 2);
  CHECK(asked->events == std::vector<std::string_view>{first});
}

TEST_CASE("an answer that does not come is asked for again, a stale one changes nothing") {
  CatchUpBench late_one;
  late_one.come();
  late_one.add();
  REQUIRE(late_one.asked());
  late_one.bench.pass(500ms);
  REQUIRE(late_one.bench.turn());
  CHECK_FALSE(late_one.asked());
  late_one.bench.pass(500ms);
  REQUIRE(late_one.bench.turn());
  REQUIRE(late_one.asked());
  late_one.answer(99, {0});
  late_one.answer(1, {7});  // it was asked about one event
  CHECK(late_one.deliver().empty());
  late_one.answer(1, {0});
  CHECK(late_one.delivered().size() == 1);
}

TEST_CASE("a full disk holds a catch-up up, and loses nothing of it") {
  CatchUpBench late_one;
  const std::string first = late_one.come();
  late_one.add();
  late_one.bench.disk.full = true;
  late_one.answer(1, {0});
  CHECK(late_one.deliver().empty());
  late_one.bench.disk.full = false;
  late_one.bench.pass(1s);
  REQUIRE(late_one.bench.turn());
  REQUIRE(late_one.bench.turn());
  CHECK(late_one.delivered() == std::vector<std::string>{first});
}

TEST_CASE(
    "until a start is recorded nothing is owed to the target, or a crash would break its order") {
  CatchUpBench late_one;
  late_one.come();
  late_one.files.set_capacity(late_one.files.used());
  late_one.add();
  late_one.come({0, 1});
  REQUIRE(late_one.bench.results().size() == 1);
  CHECK(late_one.bench.results()[0].code == "JournalFull");
  late_one.come({0});
  CHECK(late_one.bench.results()[0].ok());
  late_one.files.set_capacity(std::nullopt);
  late_one.bench.pass(1s);
  REQUIRE(late_one.bench.turn());
  late_one.come({0, 1});
  CHECK(late_one.bench.results()[0].ok());
}

TEST_CASE("retention spares what a catch-up has still to read, and no more") {
  CatchUpBench late_one;
  late_one.come();
  late_one.add();
  CHECK(late_one.bench.disk.kept == std::vector<std::string>{"0"});
  late_one.answer(1, {0});
  late_one.settle_down();
  CHECK(late_one.bench.disk.kept.empty());
}

TEST_CASE("the status tells of catch-ups") {
  CatchUpBench late_one;
  late_one.come();
  late_one.come();
  late_one.add();
  late_one.come({0, 1});
  late_one.bench.ask("sidecar.status");
  REQUIRE(late_one.bench.turn());
  CHECK(late_one.bench.answer().find(R"("pending":1,"catching-up":2,"held":1,"ready":0)")
        != std::string::npos);
}

TEST_CASE("how targets began is kept in a file, and what is not that is refused") {
  MemFiles files;
  REQUIRE(files.make_directory(kFolder));
  const StartsByTarget starts{
      {{"charge", "payment"}, {}},
      {{"charge", "late"}, {.until = 17, .caught_up = 40, .since = {}, .cursor = {}}},
      {{"report", "ledger"},
       {.until = 9, .caught_up = 0, .since = WallTime(-5us), .cursor = "3:4096"}}};
  auto book = StartedTargets::open(files, kFolder);
  REQUIRE(book);
  CHECK((*book)->targets().empty());
  REQUIRE((*book)->save(starts));
  CHECK((*StartedTargets::open(files, kFolder))->targets() == starts);
  for (const char* text : {"charge/payment",
                           "charge\n",
                           "/payment\n",
                           "charge/\n",
                           "charge/payment 0 0\n",
                           "charge/payment x 0\n",
                           "charge/payment 5\n",
                           "charge/payment 5 0\n",
                           "charge/payment 5 0 7\n",
                           "charge/payment 5 6 7\n"}) {
    CAPTURE(text);
    REQUIRE(replace_file(files, std::string(kFolder) + "/started-targets", text));
    const auto read = StartedTargets::open(files, kFolder);
    REQUIRE_FALSE(read);
    CHECK(read.error().what.find("started-targets") != std::string::npos);
  }
}
