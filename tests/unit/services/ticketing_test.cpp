// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticketing.h"

#include "services/ticketing/ticket_number.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>

using namespace conga;
using namespace conga::contract;
using conga::ticketing::is_ticket_number;
using conga::ticketing::ticket_number;

TEST_CASE("a ticket number has the airline, the serial and the check digit") {
  CHECK(ticket_number(220, 1) == "2200000000015");  // 220000000001 mod 7 is 5
  CHECK(ticket_number(1, 0).size() == 13);
  CHECK(is_ticket_number(ticket_number(999, 999'999'999)));
  CHECK_FALSE(is_ticket_number("2200000000013"));
  CHECK_FALSE(is_ticket_number("220000000001"));
  CHECK_FALSE(is_ticket_number("220000000001x"));
}

TEST_CASE("property: a wrong digit does not pass, unless it is wrong by seven") {
  CHECK(rc::check([] {
    std::string number = ticket_number(*rc::gen::inRange(0U, 1000U),
                                       *rc::gen::inRange<std::uint64_t>(0, 1'000'000'000));
    RC_ASSERT(is_ticket_number(number));
    const auto at = *rc::gen::inRange<std::size_t>(0, 12);
    const char wrong = *rc::gen::inRange('0', static_cast<char>('9' + 1));
    // The check digit is a remainder modulo 7, and powers of 10 are never a multiple of 7.
    RC_PRE((wrong - number[at]) % 7 != 0);
    number[at] = wrong;
    RC_ASSERT(!is_ticket_number(number));
  }));
}

TEST_CASE("every passenger gets a ticket, and no number comes twice") {
  const auto database = kit::Database::in_memory();
  ticketing::Ticketing ticketing(*database, 220);
  REQUIRE(ticketing.migrate());
  std::set<std::string> numbers;
  for (int at = 0; at < 50; ++at) {
    const std::string id = "B" + std::to_string(at);
    SeatAssigned seated{.trip = test::trip(id, 2), .seats = {}};
    for (const Passenger& passenger : seated.trip.passengers) {
      seated.seats.push_back({.passenger = passenger.name, .seat = "1A"});
    }
    for (const Ticket& ticket :
         test::only<TicketIssued>(test::hand(ticketing, seated, id)).tickets) {
      CHECK(is_ticket_number(ticket.number));
      CHECK(numbers.insert(ticket.number).second);
    }
  }
  CHECK(numbers.size() == 100);
}
