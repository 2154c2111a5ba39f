// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_node.h"

#include "tests/unit/kit/rig.h"

#include <doctest/doctest.h>

#include <string>

using conga::Settlement;
using conga::kit::test::make_event;
using conga::kit::test::Rig;

TEST_CASE("an event is handled, settled ok, and its fact put with its lineage") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Ok);
  const auto puts = rig.puts();
  REQUIRE(puts.size() == 1);
  CHECK(puts[0].detail_type == "Answered");
  CHECK(puts[0].source == "scripted");
  CHECK(puts[0].causation_id == make_event("a").id);
  CHECK(puts[0].correlation_id == "flow-1");
  CHECK(puts[0].hops == 3);
  CHECK(puts[0].key == "k");
}

TEST_CASE("a repeat is settled ok and does nothing, in the same turn and later") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.deliver(2, make_event("a"));
  rig.turn();
  rig.deliver(3, make_event("a"));
  rig.turn();
  CHECK(rig.settlements().at(3).outcome == Settlement::Outcome::Ok);
  CHECK(rig.count("handled") == 1);
  CHECK(rig.count("outbox") == 1);
}

TEST_CASE("a crash before the commit leaves no trace, and the event can come again") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.start();
  CHECK(rig.count("handled") == 0);
  rig.deliver(2, make_event("a"));
  rig.turn();
  CHECK(rig.count("handled") == 1);
}

TEST_CASE("a crash after the commit, before anything was sent, loses nothing") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  const auto id = rig.puts().at(0).id;
  rig.start();  // what the last turn sent is taken as lost
  rig.turn();
  const auto again = rig.puts();
  REQUIRE(again.size() == 1);
  CHECK(again[0].id == id);
  rig.deliver(2, make_event("a"));
  rig.turn();
  CHECK(rig.settlements().at(2).outcome == Settlement::Outcome::Ok);
  CHECK(rig.count("handled") == 1);
}

TEST_CASE("a fact stays in the outbox until the bus has taken it") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  const std::string id = rig.puts().at(0).id.text();
  rig.turn();
  CHECK(rig.count("outbox") == 1);
  rig.answer_put(id);
  rig.turn();
  CHECK(rig.count("outbox") == 0);
}

TEST_CASE("a fact that is not answered is put again with the same id") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  const auto id = rig.puts().at(0).id;
  rig.now.steady += std::chrono::seconds(2);
  rig.turn();
  REQUIRE(rig.puts().size() == 1);
  CHECK(rig.puts()[0].id == id);
}

TEST_CASE("a fact that the bus refuses for good is kept aside with the reason") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  rig.answer_put(rig.puts().at(0).id.text(), "InvalidEvent");
  rig.turn();
  CHECK(rig.count("outbox") == 0);
  CHECK(rig.count("outbox_refused") == 1);
}

TEST_CASE("a handler's transient error is retried, a permanent one rejected; both are undone") {
  Rig rig;
  rig.deliver(1, make_event("a", "Failing"));
  rig.deliver(2, make_event("b", "Wrong"));
  rig.deliver(3, make_event("c"));
  rig.turn();
  const auto settlements = rig.settlements();
  CHECK(settlements.at(1).outcome == Settlement::Outcome::Retry);
  CHECK(settlements.at(1).code == "Busy");
  CHECK(settlements.at(2).outcome == Settlement::Outcome::Reject);
  CHECK(settlements.at(2).code == "Wrong");
  CHECK(settlements.at(3).outcome == Settlement::Outcome::Ok);
  CHECK(rig.count("handled") == 1);
  CHECK(rig.count("inbox") == 1);
}

TEST_CASE("what is no event is rejected and stops nothing") {
  Rig rig;
  rig.deliver_bytes(1, "\x81\xa1x\x01");
  rig.deliver(2, make_event("a"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Reject);
  CHECK(rig.settlements().at(1).code == "InvalidEvent");
  CHECK(rig.settlements().at(2).outcome == Settlement::Outcome::Ok);
}

TEST_CASE("an effect is carried out after the commit, and its facts follow") {
  Rig rig;
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.handlers->performed == std::vector<std::string>{"key-1"});
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Ok);
  REQUIRE(rig.puts().size() == 1);
  CHECK(rig.puts()[0].detail_type == "Completed");
}

TEST_CASE("an effect that may work later is retried with the same key") {
  Rig rig;
  rig.handlers->answer = conga::fail(conga::Fault::Transient, "no answer", "AcquirerTimeout");
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Retry);
  CHECK(rig.settlements().at(1).code == "AcquirerTimeout");
  rig.handlers->answer = std::string("done");
  rig.deliver(2, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.settlements().at(2).outcome == Settlement::Outcome::Ok);
  CHECK(rig.handlers->performed == std::vector<std::string>{"key-1", "key-1"});
}

TEST_CASE("the same event twice in a turn has its facts once, whatever its effect was asked") {
  Rig rig;
  rig.deliver(1, make_event("a", "Effect"));
  rig.deliver(2, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Ok);
  CHECK(rig.settlements().at(2).outcome == Settlement::Outcome::Ok);
  CHECK(rig.puts().size() == 1);
}

TEST_CASE("a handler that fills the disk undoes the whole turn: nothing is settled ok") {
  for (const bool last : {true, false}) {
    Rig rig;
    REQUIRE(rig.database->all("PRAGMA max_page_count = 200"));
    rig.deliver(1, make_event("a"));
    rig.deliver(2, make_event("b", "Huge"));
    if (!last) rig.deliver(3, make_event("c"));
    rig.turn();
    for (const auto& [id, settlement] : rig.settlements()) {
      CHECK(settlement.outcome == Settlement::Outcome::Retry);
    }
    CHECK(rig.settlements().size() == (last ? 2U : 3U));
    CHECK(rig.count("inbox") == 0);
    CHECK(rig.puts().empty());
  }
}

TEST_CASE("draining, it waits until the bus has taken everything") {
  Rig rig;
  rig.deliver(1, make_event("a"));
  rig.turn();
  const std::string id = rig.puts().at(0).id.text();
  rig.node->drain(rig.now);
  rig.turn();
  CHECK_FALSE(rig.node->drained());
  rig.answer_put(id);
  rig.turn();
  CHECK(rig.node->drained());
}

TEST_CASE("a schema step runs once, and a newer schema is refused") {
  const auto database = conga::kit::Database::in_memory();
  const std::array<std::string_view, 2> steps{"CREATE TABLE one(x INTEGER) STRICT;",
                                              "CREATE TABLE two(x INTEGER) STRICT;"};
  REQUIRE(database->migrate("part", std::span(steps).first(1)));
  REQUIRE(database->migrate("part", steps));
  REQUIRE(database->migrate("part", steps));
  CHECK(database->run("INSERT INTO two VALUES(1)"));
  const auto older = database->migrate("part", std::span(steps).first(1));
  REQUIRE_FALSE(older);
  CHECK(older.error().code == "NewerSchema");
}
