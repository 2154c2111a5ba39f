// SPDX-License-Identifier: Apache-2.0
//
// The Node on the stores that it has in earnest: FileJournal, dead letters and trace index in
// SQLite, on a disk that loses what was not synced.

#include "bus/sidecar/database.h"
#include "bus/sidecar/file_journal.h"
#include "bus/sidecar/sqlite_dead_letters.h"
#include "bus/sidecar/trace_index.h"
#include "tests/support/mem_files.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace std::chrono_literals;
using conga::Result;
using conga::Settlement;
using conga::bus::DeadLetters;
using conga::bus::EventStore;
using conga::bus::FileJournal;
using conga::bus::RecoveryVisitor;
using conga::bus::SidecarStores;
using conga::bus::SqliteDeadLetters;
using conga::bus::TraceIndex;
using conga::bus::TraceSource;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

/// A machine whose sidecar can be killed and started again.
struct Machine {
  Machine() {
    auto letters_opened = conga::bus::open_database(":memory:", conga::bus::DatabaseSync::Normal);
    auto index_opened = conga::bus::open_database(":memory:", conga::bus::DatabaseSync::Normal);
    REQUIRE(letters_opened);
    REQUIRE(index_opened);
    letters = *letters_opened;
    index = *index_opened;
  }

  SidecarStores stores() {
    SidecarStores made;
    made.open_events = [this](RecoveryVisitor& visitor) -> Result<std::unique_ptr<EventStore>> {
      conga::bus::FileJournalOptions options;
      options.directory = "/journal";
      options.segment_size = 64 * 1024;
      options.hold_back = 4096;
      auto journal = FileJournal::open(files, options, conga::WallTime(490'000h), visitor);
      if (!journal) return journal.failure();
      return std::unique_ptr<EventStore>(std::move(*journal));
    };
    made.open_dead_letters = [this]() -> Result<std::unique_ptr<DeadLetters>> {
      auto opened = SqliteDeadLetters::open(letters);
      if (!opened) return opened.failure();
      return std::unique_ptr<DeadLetters>(std::move(*opened));
    };
    made.open_traces = [this]() -> Result<std::unique_ptr<TraceSource>> {
      auto opened = TraceIndex::open(index);
      if (!opened) return opened.failure();
      return std::unique_ptr<TraceSource>(std::move(*opened));
    };
    return made;
  }

  conga::testing::MemFiles files;
  conga::bus::DatabaseHandle letters;
  conga::bus::DatabaseHandle index;
};

void begin(SidecarBench& bench) {
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1", 1000);
  REQUIRE(bench.turn());
}

void crash(Machine& machine, SidecarBench& bench, std::size_t torn) {
  bench.node.reset();
  machine.files.crash(torn);
  bench.start();
  begin(bench);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what was answered ok is delivered after a power loss, whatever was torn") {
  Machine machine;
  SidecarBench bench([&] { return machine.stores(); });
  begin(bench);
  std::set<std::string> owed;
  for (std::size_t round = 0; round < 20; ++round) {
    for (int count = 0; count < 50; ++count) {
      const std::string event = bench.make_event();
      bench.route(event);
      owed.insert(event);
    }
    REQUIRE(bench.turn());
    REQUIRE(bench.results().size() == 50);
    const std::string lost = bench.make_event();
    bench.route(lost);
    crash(machine, bench, round * 37);
    std::set<std::string> delivered;
    while (!bench.deliveries().empty()) {
      for (const auto& delivery : bench.deliveries()) {
        delivered.insert(delivery.event);
        bench.settle(delivery.id, Settlement::Outcome::Ok);
      }
      REQUIRE(bench.turn());
    }
    for (const std::string& event : owed) CHECK(delivered.count(event) == 1);
    for (const std::string& event : delivered) {
      const bool known = owed.count(event) == 1 || event == lost;
      CHECK(known);
    }
    // A sync for the endings: another event brings it.
    bench.route(bench.make_event(), {});
    REQUIRE(bench.turn());
    owed.clear();
  }
}

TEST_CASE("a redriven delivery survives a power loss, and is traced") {
  Machine machine;
  SidecarBench bench([&] { return machine.stores(); });
  begin(bench);
  const std::string event = bench.make_event("B9");
  bench.route(event);
  REQUIRE(bench.turn());
  bench.settle(bench.deliveries().at(0).id, Settlement::Outcome::Reject);
  REQUIRE(bench.turn());
  bench.ask("dlq.redrive", R"({"numbers":[1]})");
  REQUIRE(bench.turn());
  CHECK(bench.answer().find(R"("total":1)") != std::string::npos);
  crash(machine, bench, 0);
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].event == event);
  bench.settle(bench.deliveries()[0].id, Settlement::Outcome::Ok);
  for (int turn = 0; turn < 3; ++turn) {
    bench.pass(200ms);
    REQUIRE(bench.turn());
  }
  bench.ask("trace", R"({"id":"B9"})");
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("source":"aircraft.booking")"));
  CHECK(contains(bench.answer(), R"("outcome":"dead-letter")"));
  CHECK(contains(bench.answer(), R"("outcome":"ok")"));
  CHECK(contains(bench.answer(), R"("code":"Declined")"));
  bench.ask("dlq.list");
  REQUIRE(bench.turn());
  CHECK(bench.answer() == R"({"count":0,"letters":[]})");
}

TEST_CASE("deliveries of a backlog many segments long are read back") {
  Machine machine;
  SidecarBench bench([&] { return machine.stores(); });
  bench.options.cache_size = 0;
  bench.table({target("charge", "payment")});
  std::vector<std::string> events;
  for (int count = 0; count < 3000; ++count) {
    events.push_back(bench.make_event());
    bench.route(events.back());
    if (count % 100 == 0) REQUIRE(bench.turn());
  }
  REQUIRE(bench.turn());
  crash(machine, bench, 0);
  std::size_t at = 0;
  while (!bench.deliveries().empty()) {
    for (const auto& delivery : bench.deliveries()) {
      REQUIRE(at < events.size());
      CHECK(delivery.event == events[at++]);
      bench.settle(delivery.id, Settlement::Outcome::Ok);
    }
    REQUIRE(bench.turn());
  }
  CHECK(at == events.size());
}
