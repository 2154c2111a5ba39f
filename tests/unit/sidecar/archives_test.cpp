// SPDX-License-Identifier: Apache-2.0
//
// Archives through the Node: each event once and in order, over crashes, full disks and reloads.

#include "bus/sidecar/archives.h"

#include "bus/sidecar/pseudo_targets.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using conga::Fault;
using conga::Result;
using conga::WallTime;
using conga::bus::ArchiveLog;
using conga::bus::ArchiveRetention;
using conga::bus::kArchiveTarget;
using conga::bus::LinkArchive;
using conga::bus::LinkTable;
using conga::bus::Sequence;
using conga::bus::SettledRecord;
using conga::bus::SidecarStores;
using conga::bus::StoredEvent;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

// With one target in the table: behind it the archives.
constexpr std::uint32_t kBills = 1;
constexpr std::uint32_t kAll = 2;

struct Shelf {
  std::vector<std::pair<Sequence, std::string>> kept;
  std::size_t durable = 0;
  bool full = false;
  bool sync_fails = false;
  std::size_t largest = 1000;
  ArchiveRetention retention;
};

class ShelfLog final : public ArchiveLog {
public:
  explicit ShelfLog(Shelf& shelf) : shelf_(shelf) { shelf_.kept.resize(shelf_.durable); }

  bool has(Sequence sequence) const override {
    return !shelf_.kept.empty() && sequence <= shelf_.kept.back().first;
  }

  Result<> append(Sequence sequence, WallTime /*ingested*/, std::string_view event) override {
    if (shelf_.full) return conga::fail(Fault::Transient, "the disk is full", "DiskFull");
    if (event.size() > shelf_.largest) {
      return conga::fail(Fault::Permanent, "it does not fit", "RecordTooLarge");
    }
    CHECK(!has(sequence));
    shelf_.kept.emplace_back(sequence, event);
    return {};
  }

  Result<> sync() override {
    if (shelf_.sync_fails) return conga::fail(Fault::Permanent, "fdatasync: I/O error");
    shelf_.durable = shelf_.kept.size();
    return {};
  }

  Result<> maintain(WallTime /*now*/, const ArchiveRetention& retention) override {
    shelf_.retention = retention;
    return {};
  }

  std::uint64_t bytes() const override { return shelf_.kept.size(); }

private:
  Shelf& shelf_;
};

class ArchiveBench {
public:
  ArchiveBench() { table({{.name = "bills"}, {.name = "all"}}); }

  SidecarStores stores() {
    SidecarStores made = bench.fake_stores();
    made.open_archive = [this](const std::string& name) -> Result<std::unique_ptr<ArchiveLog>> {
      if (refused == name) return conga::fail(Fault::Permanent, name + ": permission denied");
      return std::unique_ptr<ArchiveLog>(std::make_unique<ShelfLog>(shelves[name]));
    };
    return made;
  }

  void table(std::vector<LinkArchive> archives) {
    bench.frame(std::string(conga::bus::kTableTopic),
                encode(LinkTable{.boot = 77,
                                 .generation = ++bench.generation,
                                 .targets = {target("charge", "payment")},
                                 .archives = std::move(archives)}));
    REQUIRE(bench.turn());
  }

  std::string come(std::vector<std::uint32_t> positions, const std::string& flow = "B1") {
    std::string event = bench.make_event(flow);
    bench.route(event, std::move(positions));
    REQUIRE(bench.turn());
    return event;
  }

  /// Lets `time` go by, a turn whenever the Node wants one.
  void pass(conga::Duration time) {
    const auto end = bench.now.steady + time;
    while (bench.now.steady < end) {
      const auto wake = bench.node->wake_at();
      REQUIRE(wake);
      bench.pass(std::max<conga::Duration>(std::min(*wake, end) - bench.now.steady, 1ms));
      REQUIRE(bench.turn());
    }
  }

  std::vector<std::string> in(const std::string& archive) {
    std::vector<std::string> events;
    for (const auto& each : shelves[archive].kept) events.push_back(each.second);
    return events;
  }

  /// Where the journal was told that a copy is done, and the code.
  std::vector<std::pair<std::string, std::string>> settled() const {
    std::vector<std::pair<std::string, std::string>> ends;
    for (const auto& end : bench.disk.all<SettledRecord>()) {
      if (end.target.target == kArchiveTarget) ends.emplace_back(end.target.rule, end.code);
    }
    return ends;
  }

  std::string state() {
    bench.ask("sidecar.status", "{}");
    REQUIRE(bench.turn());
    const std::string text = bench.answer();
    const auto at = text.find("\"archives\":");
    return text.substr(at + 11, text.find(']', at) - at - 10);
  }

  std::map<std::string, Shelf> shelves;
  std::string refused;
  SidecarBench bench{SidecarBench::MakeStores([this] { return stores(); })};
};

using Events = std::vector<std::string>;
using Ends = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("what the journal may still lose in a crash is not copied yet") {
  // Its number may be another event's after the crash, which the archive would take for known.
  ArchiveBench archives;
  const std::string first = archives.come({0, kBills});
  archives.bench.pass(1s);
  const std::string second = archives.come({0, kBills});
  CHECK(archives.in("bills") == std::vector<std::string>{first});
  archives.pass(1ms);
  CHECK(archives.in("bills") == std::vector<std::string>{first, second});
}

TEST_CASE("an event is copied into its archives a moment later, and the journal told") {
  ArchiveBench bench;
  const std::string one = bench.come({kBills, kAll});
  const std::string two = bench.come({kAll});
  bench.come({0});
  CHECK(bench.bench.disk.all<StoredEvent>().at(0).targets.size() == 2);
  CHECK(bench.in("all").empty());
  CHECK(bench.settled().empty());
  bench.pass(1s);
  CHECK(bench.in("bills") == Events{one});
  CHECK(bench.in("all") == Events{one, two});
  CHECK(bench.settled() == Ends{{"all", ""}, {"all", ""}, {"bills", ""}});
  CHECK(bench.state()
        == R"([{"name":"all","archived":2,"waiting":0,"bytes":2,"fault":""},)"
           R"({"name":"bills","archived":1,"waiting":0,"bytes":1,"fault":""}])");
}

TEST_CASE("a crash leaves no gap in an archive and nothing twice") {
  ArchiveBench bench;
  const std::string one = bench.come({kAll});
  SUBCASE("before the copy was made") {}
  SUBCASE("after it, before the journal knew") {
    bench.pass(1s);
    CHECK(bench.in("all") == Events{one});
    auto& disk = bench.bench.disk;
    std::erase_if(disk.records,
                  [](const auto& record) { return std::holds_alternative<SettledRecord>(record); });
    disk.synced = disk.records.size();
  }
  bench.bench.start();
  bench.table({{.name = "bills"}, {.name = "all"}});
  const std::string two = bench.come({kAll});
  bench.pass(2s);
  CHECK(bench.in("all") == Events{one, two});
}

TEST_CASE("what cannot be archived now is archived later, and costs no delivery") {
  ArchiveBench bench;
  bench.bench.ready("payment", "p1");
  bench.shelves["all"].full = true;
  const std::string one = bench.come({0, kAll});
  CHECK(bench.bench.deliveries().size() == 1);
  const std::string two = bench.come({kAll});
  bench.pass(5s);
  CHECK(bench.settled().empty());
  CHECK(bench.state().find(R"("waiting":2,"bytes":0,"fault":"the disk is full"})")
        != std::string::npos);
  bench.shelves["all"].full = false;
  bench.pass(10s);
  CHECK(bench.in("all") == Events{one, two});
  CHECK(bench.state().find(R"("waiting":0,"bytes":2,"fault":""})") != std::string::npos);
}

TEST_CASE(
    "a failed sync of an archive stops the sidecar, as the journal's does, and loses nothing") {
  ArchiveBench bench;
  bench.shelves["all"].sync_fails = true;
  const std::string one = bench.come({kAll});
  bench.bench.pass(2s);
  const auto turn = bench.bench.turn();
  REQUIRE_FALSE(turn);
  CHECK(turn.error().what.find("fdatasync") != std::string::npos);
  CHECK(bench.settled().empty());
  bench.shelves["all"].sync_fails = false;
  bench.bench.start();
  bench.table({{.name = "bills"}, {.name = "all"}});
  bench.pass(1s);
  CHECK(bench.in("all") == Events{one});
}

TEST_CASE("an archive that cannot be opened is tried again, and told of") {
  ArchiveBench bench;
  bench.refused = "late";
  bench.table({{.name = "late"}});
  const std::string one = bench.come({kBills});
  bench.pass(15s);
  CHECK(
      bench.state()
      == R"([{"name":"late","archived":0,"waiting":1,"bytes":0,"fault":"late: permission denied"}])");
  bench.refused.clear();
  bench.pass(10s);
  CHECK(bench.in("late") == Events{one});
}

TEST_CASE("what does not fit an archive is told of, and holds up nothing") {
  ArchiveBench bench;
  bench.shelves["all"].largest = 500;
  const std::string one = bench.come({kAll});
  bench.come({kAll}, std::string(600, 'x'));
  const std::string three = bench.come({kAll});
  bench.pass(1s);
  CHECK(bench.in("all") == Events{one, three});
  CHECK(bench.settled() == Ends{{"all", ""}, {"all", "RecordTooLarge"}, {"all", ""}});
}

TEST_CASE("an archive that is not in the rules any more gets what it was owed") {
  ArchiveBench bench;
  const std::string one = bench.come({kAll});
  bench.table({{.name = "bills", .retention = {.age = 24h, .bytes = 77}}});
  bench.pass(2s);
  CHECK(bench.in("all") == Events{one});
  CHECK(bench.state() == R"([{"name":"bills","archived":0,"waiting":0,"bytes":0,"fault":""}])");
  CHECK(bench.shelves["bills"].retention == ArchiveRetention{.age = 24h, .bytes = 77});
}

TEST_CASE("a large backlog is copied in order, some in each turn") {
  ArchiveBench bench;
  bench.shelves["all"].full = true;
  constexpr std::size_t kMany = 10'000;
  Events events;
  for (std::size_t count = 0; count < kMany; ++count) {
    events.push_back(bench.bench.make_event());
    bench.bench.route(events.back(), {kAll});
  }
  bench.pass(5s);
  bench.shelves["all"].full = false;
  bench.pass(11s);
  CHECK(bench.in("all") == events);
}
