// SPDX-License-Identifier: Apache-2.0

#include "services/kit/outbox.h"

#include "tests/unit/kit/rig.h"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using conga::WallTime;
using conga::kit::Database;
using conga::kit::Outbox;
using conga::kit::test::make_event;
using conga::kit::test::Rig;

namespace {

constexpr WallTime kNoon{1000h};

struct Pair {
  Pair() { REQUIRE(one.migrate()); }

  std::unique_ptr<Database> database = Database::in_memory();
  Outbox one{*database, "one"};
  Outbox other{*database, "other"};
};

}  // namespace

TEST_CASE("an instance puts its own entries, and adopts what another has left behind") {
  Pair pair;
  REQUIRE(pair.one.add(make_event("a"), kNoon));
  CHECK(pair.one.after(0, 10)->size() == 1);
  CHECK(pair.other.after(0, 10)->empty());
  CHECK(pair.other.adopt(kNoon - 10s, kNoon + 1s, 10)->empty());
  const auto adopted = pair.other.adopt(kNoon + 1s, kNoon + 11s, 10);
  REQUIRE(adopted->size() == 1);
  CHECK(adopted->front().id == make_event("a").id);
  CHECK(pair.other.adopt(kNoon + 1s, kNoon + 11s, 10)->empty());
  CHECK(pair.one.after(0, 10)->empty());
}

TEST_CASE("an entry from the future counts as left behind: the clock was put back") {
  Pair pair;
  REQUIRE(pair.one.add(make_event("a"), kNoon + 1h));
  CHECK(pair.other.adopt(kNoon - 10s, kNoon, 10)->size() == 1);
}

TEST_CASE("an idle instance puts what its dead neighbour had committed") {
  Rig rig;
  Outbox dead(*rig.database, "scripted-2");
  REQUIRE(dead.add(make_event("left"), rig.now.wall));
  rig.turn();
  rig.now.steady += 16s;
  rig.now.wall += 16s;
  rig.turn();
  REQUIRE(rig.puts().size() == 1);
  CHECK(rig.puts()[0].id == make_event("left").id);
}
