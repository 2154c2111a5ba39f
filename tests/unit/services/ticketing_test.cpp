// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticketing.h"

#include "services/ticketing/receipt.h"
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
  ticketing::Ticketing ticketing(*database, {.code = 220, .name = "Conga Air"});
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

namespace {

struct Desk {
  Desk() { REQUIRE(ticketing.migrate()); }

  Result<kit::Facts> seated(const std::string& id) {
    SeatAssigned seated{.trip = test::trip(id, 1), .seats = {}};
    seated.trip.locator = "LOC" + id;
    seated.seats.push_back({.passenger = "Passenger 0", .seat = "7C"});
    return test::hand(ticketing, seated, id);
  }

  std::int64_t count(const std::string& what) const {
    const auto row = database->one("SELECT count(*) FROM " + what);
    REQUIRE(row);
    return (*row)->integer(0);
  }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  ticketing::Ticketing ticketing{*database, {.code = 220, .name = "Conga Air"}};
};

}  // namespace

TEST_CASE("a ticket has a coupon for its flight, and both are void when the booking is over") {
  Desk desk;
  const auto issued = test::only<TicketIssued>(desk.seated("B1"));
  CHECK(desk.count("coupons WHERE status = 'open' AND flight = 'LH123'") == 1);
  const BookingCancelled over{.trip = test::trip("B1"), .reason = "regret"};
  CHECK(test::only<TicketVoided>(test::hand(desk.ticketing, over, "over")).tickets.front().number
        == issued.tickets.front().number);
  CHECK(desk.count("coupons WHERE status = 'open'") == 0);
  CHECK(desk.count("coupons WHERE status = 'void'") == 1);
}

TEST_CASE("the receipt of a ticket is kept, and found by its number or the locator") {
  Desk desk;
  const auto issued = test::only<TicketIssued>(desk.seated("B1"));
  const auto by_locator = desk.ticketing.receipt("LOCB1");
  REQUIRE(by_locator);
  CHECK(by_locator->text == issued.receipt.text);
  const std::string& number = issued.tickets.front().number;
  CHECK(desk.ticketing.receipt(number)->html == issued.receipt.html);
  CHECK(desk.ticketing.receipt(number.substr(0, 3) + "-" + number.substr(3)));
  CHECK(desk.ticketing.receipt("NOBODY").error().code == "UnknownTicket");
}

TEST_CASE("when all numbers are given, bookings wait") {
  Desk desk;
  REQUIRE(desk.database->run(
      "INSERT INTO tickets(serial, booking_id, passenger, flight, seat, issued_at)"
      " VALUES(999999999, 'B0', 'x', 'x', 'x', 0)"));
  const auto refused = desk.seated("B1");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::Transient);
  CHECK(refused.error().code == "NoTicketNumbers");
}

TEST_CASE("a receipt says the same as text and as HTML, whatever the names are made of") {
  Trip trip = test::trip("B1", 2);
  trip.passengers = {{.name = "J\xc3\xb6rg Gro\xc3\x9f"}, {.name = "<b>Bobby</b> & \"co\""}};
  trip.locator = "K7M2QX";
  trip.date = "2026-12-01";
  trip.route = {.from = "FRA", .to = "LHR", .departs = "07:15", .arrives = "08:00"};
  const std::vector<Ticket> tickets{
      {.passenger = trip.passengers[0].name, .seat = "12A", .number = ticket_number(220, 1)},
      {.passenger = trip.passengers[1].name, .seat = "12B", .number = ticket_number(220, 2)}};
  const Receipt receipt = ticketing::make_receipt(
      {.code = 220, .name = "Conga Air"}, trip, tickets, WallTime(std::chrono::hours(498'000)));
  CHECK(receipt.text
        == "Itinerary receipt\n"
           "\n"
           "Booking    K7M2QX\n"
           "Issued by  Conga Air\n"
           "Issued on  2026-10-24\n"
           "Paid       123.00 EUR for 2 passengers\n"
           "\n"
           "Flight  From  To   Date        Departs  Arrives  Class\n"
           "LH123   FRA   LHR  2026-12-01  07:15    08:00    economy\n"
           "\n"
           "Passenger            Ticket          Seat\n"
           "J\xc3\xb6rg Gro\xc3\x9f            220-0000000015  12A\n"
           "<b>Bobby</b> & \"co\"  220-0000000026  12B\n"
           "\n"
           "Times are local. The tickets are electronic: bring an identity document.\n");
  CHECK(receipt.html.find("<td>&lt;b&gt;Bobby&lt;/b&gt; &amp; &quot;co&quot;</td>"
                          "<td>220-0000000026</td><td>12B</td>")
        != std::string::npos);
  CHECK(receipt.html.find("<dt>Booking</dt><dd>K7M2QX</dd>") != std::string::npos);
}

TEST_CASE("ticketing handles all that its manifest says it consumes") {
  Desk it;
  test::check_manifest(it.ticketing);
}
