// SPDX-License-Identifier: Apache-2.0

#include "services/seating/seating.h"

#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>

using namespace conga;
using namespace conga::contract;
using conga::seating::choose_seats;
using conga::test::hand;
using conga::test::only;
using conga::test::trip;

namespace {

seating::Fleet small_fleet() {
  return {{"LH123",
           {.sections = {{.cabin = "economy",
                          .first_row = 1,
                          .last_row = 3,
                          .letters = "AB C",
                          .blocked = {"2B"}}}}}};
}

struct Gate {
  Gate() { REQUIRE(seating.migrate()); }

  Result<kit::Facts> paid(const std::string& booking_id, std::size_t passengers) {
    return hand(seating,
                PaymentConfirmed{.trip = trip(booking_id, passengers), .payment_id = "p"},
                booking_id);
  }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  seating::Seating seating{*database, small_fleet()};
};

}  // namespace

TEST_CASE("rows have their letters without aisles and blocked seats") {
  const auto rows = small_fleet().at("LH123").rows_of("economy");
  REQUIRE(rows.size() == 3);
  CHECK(rows[1] == std::vector<std::string>{"2A", "2C"});
  CHECK(small_fleet().at("LH123").rows_of("first").empty());
}

TEST_CASE("a group sits in one row if there is one, else as near as can be, else not at all") {
  const auto rows = small_fleet().at("LH123").rows_of("economy");
  CHECK(choose_seats(rows, {"1A"}, 3) == std::vector<std::string>{"3A", "3B", "3C"});
  CHECK(choose_seats(rows, {"1A", "3A"}, 3) == std::vector<std::string>{"1B", "1C", "2A"});
  CHECK(choose_seats(rows, {}, 9).empty());
}

TEST_CASE("a full cabin is a fact") {
  Gate gate;
  CHECK(only<SeatAssigned>(gate.paid("B1", 8)).seats.size() == 8);
  CHECK(only<SeatUnavailable>(gate.paid("B2", 1)).reason == "economy of LH123 is full");
}

TEST_CASE("a booking that is paid twice under two event ids is seated once") {
  Gate gate;
  only<SeatAssigned>(gate.paid("B1", 2));
  const auto again =
      hand(gate.seating, PaymentConfirmed{.trip = trip("B1", 2), .payment_id = "p"}, "another id");
  REQUIRE(again);
  CHECK(again->empty());
}

TEST_CASE("property: no seat is given twice, and none is left while somebody is turned away") {
  CHECK(rc::check([] {
    Gate gate;
    std::set<std::string> given;
    const auto groups =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 4));
    int number = 0;
    for (const std::size_t group : groups) {
      const auto facts = gate.paid("B" + std::to_string(number++), group);
      RC_ASSERT(facts.has_value());
      if (facts->front().type == SeatUnavailable::kType) {
        RC_ASSERT(given.size() + group > 8);
        continue;
      }
      for (const SeatOf& seat : only<SeatAssigned>(facts).seats) {
        RC_ASSERT(given.insert(seat.seat).second);
      }
    }
  }));
}
