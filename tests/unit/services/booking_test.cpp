// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"

#include "services/booking/status.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>

using namespace conga;
using namespace conga::contract;
using conga::test::hand;
using conga::test::only;
using conga::test::trip;

namespace {

struct Shop {
  Shop() { REQUIRE(booking.migrate()); }

  Result<kit::Facts> request(const std::string& booking_id, const std::string& seed) {
    return hand(
        booking, BookingRequested{.trip = trip(booking_id), .card = "4242424242424242"}, seed);
  }

  std::string status(const std::string& booking_id) const {
    const auto row =
        database->one("SELECT status FROM bookings WHERE booking_id = ?", {booking_id});
    REQUIRE(row);
    return (*row)->text(0);
  }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  booking::Booking booking{*database, {{"LH123", {"economy"}}}};
};

}  // namespace

TEST_CASE("a good request is created with a locator that nobody misreads") {
  Shop shop;
  const auto created = only<BookingCreated>(shop.request("B1", "a"));
  CHECK(created.trip.locator.size() == 6);
  CHECK(created.trip.locator.find_first_of("01OIL") == std::string::npos);
  CHECK(created.trip.booking_id == "B1");
  CHECK(shop.status("B1") == "created");
}

TEST_CASE("the booking id becomes the flow's correlation id") {
  Shop shop;
  const auto facts = shop.request("B1", "a");
  REQUIRE(facts);
  CHECK(facts->front().correlation_id == "B1");
}

TEST_CASE("locators differ") {
  Shop shop;
  std::set<std::string> locators;
  for (int at = 0; at < 200; ++at) {
    const std::string id = "B" + std::to_string(at);
    locators.insert(only<BookingCreated>(shop.request(id, id)).trip.locator);
  }
  CHECK(locators.size() == 200);
}

TEST_CASE("a bad request is rejected with every fault") {
  Shop shop;
  BookingRequested request{.trip = trip("B1"), .card = "abc"};
  request.trip.flight = "XX1";
  request.trip.passengers.clear();
  request.trip.email = "nobody";
  request.trip.fare = {.amount = 0, .currency = "euro"};
  const auto rejected = only<BookingRejected>(hand(shop.booking, request, "a"));
  CHECK(rejected.faults.size() == 6);
}

TEST_CASE("an address that would break out of a mail header is a fault") {
  const booking::Flights flights{{"LH123", {"economy"}}};
  for (const char* email : {"a@b.c\nBcc: x@y.z", "a b@c.d", "@c.d", "a@b", "a@.b", "a@b@c.d", ""}) {
    BookingRequested request{.trip = trip("B1"), .card = "4242424242424242"};
    request.trip.email = email;
    CAPTURE(email);
    CHECK(booking::faults_of(request, flights).size() == 1);
  }
}

TEST_CASE("a booking id can be used once") {
  Shop shop;
  only<BookingCreated>(shop.request("B1", "a"));
  only<BookingRejected>(shop.request("B1", "b"));
}

TEST_CASE("a ticket confirms, a failed payment and a refund cancel") {
  Shop shop;
  for (const char* id : {"B1", "B2", "B3"}) only<BookingCreated>(shop.request(id, id));
  only<BookingConfirmed>(hand(shop.booking, TicketIssued{.trip = trip("B1"), .tickets = {}}, "t"));
  only<BookingCancelled>(
      hand(shop.booking, PaymentFailed{.trip = trip("B2"), .reason = "card_declined"}, "f"));
  only<BookingCancelled>(hand(
      shop.booking, PaymentRefunded{.trip = trip("B3"), .payment_id = "p", .reason = "full"}, "r"));
  CHECK(shop.status("B1") == "confirmed");
  CHECK(shop.status("B2") == "cancelled");
  CHECK(shop.status("B3") == "cancelled");
}

TEST_CASE("news of a booking that nobody made is refused") {
  Shop shop;
  const auto facts = hand(shop.booking, TicketIssued{.trip = trip("B9"), .tickets = {}}, "t");
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == "UnknownBooking");
}

TEST_CASE("property: whatever comes in whatever order, a status never leaves its final state") {
  CHECK(rc::check([] {
    Shop shop;
    only<BookingCreated>(shop.request("B1", "a"));
    std::string settled;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3));
    int number = 0;
    for (const int step : steps) {
      const std::string seed = "s" + std::to_string(number++);
      if (step == 0)
        RC_ASSERT(
            hand(shop.booking, TicketIssued{.trip = trip("B1"), .tickets = {}}, seed).has_value());
      if (step == 1)
        RC_ASSERT(
            hand(shop.booking, PaymentFailed{.trip = trip("B1"), .reason = "x"}, seed).has_value());
      if (step == 2) {
        RC_ASSERT(hand(shop.booking,
                       PaymentRefunded{.trip = trip("B1"), .payment_id = "p", .reason = "x"},
                       seed)
                      .has_value());
      }
      const std::string status = shop.status("B1");
      if (!settled.empty()) RC_ASSERT(status == settled);
      if (status != "created") settled = status;
    }
  }));
}
