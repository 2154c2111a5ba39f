// SPDX-License-Identifier: Apache-2.0

#include "services/kit/manifest.h"

#include "common/wire/event/json.h"
#include "services/contract/events.h"
#include "tests/unit/kit/rig.h"

#include <doctest/doctest.h>

using conga::Settlement;
using conga::kit::test::make_event;
using conga::kit::test::Rig;

TEST_CASE("a schema says which fields there are, and which must be") {
  CHECK(conga::contract::schema_of<conga::contract::SeatPreferences>()
        == R"({"type": "object", "required": [], "properties": {"position": {"type": "string"}, )"
           R"("zone": {"type": "string"}, "extra-legroom": {"type": "boolean"}}})");
  CHECK(conga::contract::schema_of<conga::contract::BookingRejected>()
        == R"({"type": "object", "required": ["booking-id", "faults"], "properties": )"
           R"({"booking-id": {"type": "string"}, "faults": {"type": "array", "items": )"
           R"({"type": "string"}}}})");
}

TEST_CASE("a manifest is JSON") {
  const conga::kit::Manifest manifest{
      .service = "payment",
      .source = "aircraft.payment",
      .consumes = conga::kit::event_types<conga::contract::BookingCreated>(),
      .emits = conga::kit::event_types<conga::contract::PaymentConfirmed,
                                       conga::contract::PaymentFailed>()};
  CHECK(conga::json_to_msgpack(to_json(manifest)));
}

TEST_CASE("a manifest says what an emitted event follows from, and what takes it back") {
  const conga::kit::Manifest manifest{
      .service = "payment",
      .source = "aircraft.payment",
      .consumes = conga::kit::event_types<conga::contract::BookingCreated>(),
      .emits = conga::kit::event_types<conga::contract::PaymentConfirmed>(),
      .consequences = {{.emits = "PaymentConfirmed",
                        .after = {"BookingCreated"},
                        .once = true,
                        .failure = true,
                        .undone_by = "PaymentRefunded"}}};
  const std::string json = to_json(manifest);
  CHECK(conga::json_to_msgpack(json));
  CHECK(json.find(R"("after": ["BookingCreated"], "once": true, "failure": true, )"
                  R"("undone-by": "PaymentRefunded")")
        != std::string::npos);
}

TEST_CASE("an event that the manifest does not name is rejected before the handler sees it") {
  Rig rig;
  rig.deliver(1, make_event("a", "Unheard"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Reject);
  CHECK(rig.settlements().at(1).code == "UnexpectedEvent");
  CHECK(rig.count("handled") == 0);
}

TEST_CASE("a fact that the manifest does not name is refused, and nothing of it stays") {
  Rig rig;
  rig.deliver(1, make_event("a", "Undeclared"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Reject);
  CHECK(rig.settlements().at(1).code == "NotInManifest");
  CHECK(rig.count("handled") == 0);
  CHECK(rig.count("outbox") == 0);
}
