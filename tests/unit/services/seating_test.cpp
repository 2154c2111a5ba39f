// SPDX-License-Identifier: Apache-2.0

#include "services/seating/seating.h"

#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>

using namespace conga;
using namespace conga::contract;
using conga::seating::SeatNames;
using conga::test::hand;
using conga::test::only;
using conga::test::trip;

namespace {

seating::Fleet small_fleet() {
  return {{"LH123",
           {.type = "A1",
            .sections = {{.cabin = "economy",
                          .first_row = 1,
                          .last_row = 3,
                          .letters = "AB C",
                          .blocked = {"2B"}}}}}};
}

struct Gate {
  Gate() { REQUIRE(seating.migrate()); }

  Result<kit::Facts> paid(const std::string& booking_id, std::size_t passengers) {
    return paid(trip(booking_id, passengers));
  }

  Result<kit::Facts> paid(const Trip& trip) {
    return hand(seating, PaymentConfirmed{.trip = trip, .payment_id = "p"}, trip.booking_id);
  }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  seating::Seating seating{*database, small_fleet()};
};

Trip on(Trip trip, const std::string& date) {
  trip.date = date;
  return trip;
}

}  // namespace

TEST_CASE("a full cabin is a fact") {
  Gate gate;
  CHECK(only<SeatAssigned>(gate.paid("B1", 8)).seats.size() == 8);
  CHECK(only<SeatUnavailable>(gate.paid("B2", 1)).reason == "economy of LH123 is full");
}

TEST_CASE("a seat that is taken today is free tomorrow") {
  Gate gate;
  only<SeatAssigned>(gate.paid(on(trip("B1", 8), "2026-12-01")));
  only<SeatUnavailable>(gate.paid(on(trip("B2", 1), "2026-12-01")));
  CHECK(only<SeatAssigned>(gate.paid(on(trip("B3", 1), "2026-12-02"))).seats.front().seat == "1A");
}

TEST_CASE("a passenger sits as wished") {
  Gate gate;
  Trip wishful = trip("B1", 1);
  wishful.preferences = {.position = "window", .zone = "rear"};
  CHECK(only<SeatAssigned>(gate.paid(wishful)).seats.front().seat == "3A");
}

TEST_CASE("a booking that is paid twice under two event ids is seated once") {
  Gate gate;
  only<SeatAssigned>(gate.paid("B1", 2));
  const auto again =
      hand(gate.seating, PaymentConfirmed{.trip = trip("B1", 2), .payment_id = "p"}, "another id");
  REQUIRE(again);
  CHECK(again->empty());
}

TEST_CASE("the seats of a booking that is over are for sale again, and it gets none later") {
  Gate gate;
  only<SeatAssigned>(gate.paid("B1", 8));
  const BookingCancelled over{.trip = trip("B1", 8), .reason = "changed her mind"};
  CHECK(only<SeatReleased>(hand(gate.seating, over, "over")).seats.size() == 8);
  CHECK(only<SeatAssigned>(gate.paid("B2", 1)).seats.front().seat == "1A");
  const auto late =
      hand(gate.seating, PaymentConfirmed{.trip = trip("B1", 8), .payment_id = "p"}, "late");
  REQUIRE(late);
  CHECK(late->empty());
}

TEST_CASE("the map of a flight shows each day that has bookings, or the one asked for") {
  Gate gate;
  only<SeatAssigned>(gate.paid(on(trip("B1", 1), "2026-12-01")));
  only<SeatAssigned>(gate.paid(on(trip("B2", 3), "2026-12-02")));
  const auto both = gate.seating.map("LH123");
  REQUIRE(both);
  CHECK(both->find("LH123 on 2026-12-01, A1: 1 of 8 seats taken") != std::string::npos);
  CHECK(both->find("LH123 on 2026-12-02, A1: 3 of 8 seats taken") != std::string::npos);
  const auto empty = gate.seating.map("LH123/2026-12-03");
  REQUIRE(empty);
  CHECK(empty->find("0 of 8 seats taken") != std::string::npos);
  const auto unknown = gate.seating.map("XX1");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().what == "XX1 is no flight; there are LH123");
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

TEST_CASE("seating handles all that its manifest says it consumes") {
  Gate it;
  test::check_manifest(it.seating);
}
