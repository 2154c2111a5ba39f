// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"

#include "services/booking/request_check.h"
#include "services/booking/status.h"
#include "services/contract/currency.h"
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

const booking::Flights kFlights{
    {"LH123",
     {.route = {.from = "FRA", .to = "LHR", .departs = "07:15", .arrives = "08:00"},
      .fares = {{"economy", {.amount = 12300, .currency = "EUR"}}}}}};

/// The day on which hand() hands events.
constexpr WallTime kNow{std::chrono::hours(500'000)};

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

  Result<kit::Facts> expire(const std::string& booking_id) {
    return booking.on_timer("expire/" + booking_id, {.steady = {}, .wall = kNow});
  }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  booking::Booking booking{*database, {.flights = kFlights}};
};

/// The faults of a good request after `spoil` has spoilt it.
template <class Spoil>
std::vector<std::string> faults(Spoil spoil) {
  BookingRequested request{.trip = trip("B1"), .card = "4242424242424242"};
  spoil(request.trip);
  return booking::faults_of(request, kFlights, kNow);
}

}  // namespace

TEST_CASE("a good request is created with a locator that nobody misreads") {
  Shop shop;
  const auto created = only<BookingCreated>(shop.request("B1", "a"));
  CHECK(created.trip.locator.size() == 6);
  CHECK(created.trip.locator.find_first_of("01OIL") == std::string::npos);
  CHECK(created.trip.booking_id == "B1");
  CHECK(created.trip.route.to == "LHR");
  CHECK(created.trip.date == booking::date_after(kNow, 1));
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
  request.trip.phone = "0151";
  request.trip.language = "English";
  request.trip.date = "2026-02-30";
  request.trip.preferences = {.position = "wing", .zone = "roof"};
  request.trip.fare = {.amount = 0, .currency = "euro"};
  const auto rejected = only<BookingRejected>(hand(shop.booking, request, "a"));
  CHECK(rejected.faults.size() == 11);
}

TEST_CASE("an address that would break out of a mail header is a fault") {
  for (const char* email : {"a@b.c\nBcc: x@y.z", "a b@c.d", "@c.d", "a@b", "a@.b", "a@b@c.d", ""}) {
    CAPTURE(email);
    CHECK(faults([&](Trip& trip) { trip.email = email; }).size() == 1);
  }
}

TEST_CASE("a phone will do, if it is one") {
  for (const char* phone : {"+4915112345678", "+12025550123"}) {
    CHECK(faults([&](Trip& trip) {
            trip.email.clear();
            trip.phone = phone;
          }).empty());
  }
  for (const char* phone :
       {"4915112345678", "+0915112345678", "+49 151 123", "+1234567890123456", "+49"}) {
    CAPTURE(phone);
    CHECK(faults([&](Trip& trip) { trip.phone = phone; }).size() == 1);
  }
}

TEST_CASE("the fare is what the flight costs for all passengers, in its currency") {
  CHECK(faults([](Trip& trip) { trip.fare.amount -= 1; })
        == std::vector<std::string>{"fare: LH123 in economy costs 12300 EUR (minor units) for 1"});
  CHECK(faults([](Trip& trip) { trip.fare.currency = "USD"; }).size() == 1);
  CHECK(faults([](Trip& trip) { trip.fare.currency = "XTS"; }).size() == 2);
  CHECK(faults([](Trip& trip) { trip.passengers.push_back({.name = "Second"}); }).size() == 1);
  CHECK(faults([](Trip& trip) {
          trip.passengers.push_back({.name = "Second"});
          trip.fare.amount *= 2;
        }).empty());
}

TEST_CASE("a flight is sold from today to a year ahead") {
  const auto on = [](const std::string& date) {
    return faults([&](Trip& trip) { trip.date = date; });
  };
  CHECK(on(booking::date_after(kNow, 0)).empty());
  CHECK(on(booking::date_after(kNow, booking::kDaysOnSale)).empty());
  CHECK(on(booking::date_after(kNow, -1)) == std::vector<std::string>{"date: has passed"});
  CHECK(on(booking::date_after(kNow, booking::kDaysOnSale + 1)).size() == 1);
  for (const char* date : {"tomorrow", "2027-13-01", "2027-02-29", "27-02-01", "2027-2-001"}) {
    CAPTURE(date);
    CHECK(on(date).size() == 1);
  }
}

TEST_CASE("language tags") {
  const auto speak = [](const std::string& language) {
    return faults([&](Trip& trip) { trip.language = language; });
  };
  for (const char* language : {"en", "de-CH", "zh-Hant-TW", "gsw"}) CHECK(speak(language).empty());
  for (const char* language : {"e", "EN", "en-", "en_GB", "deutsch", "en--GB"}) {
    CAPTURE(language);
    CHECK(speak(language).size() == 1);
  }
}

TEST_CASE("ISO 4217's codes and decimals") {
  CHECK(decimals_of("EUR") == 2U);
  CHECK(decimals_of("JPY") == 0U);
  CHECK(decimals_of("KWD") == 3U);
  for (const char* code : {"XXX", "EURO", "EU", "", "eur", "URU"}) {
    CAPTURE(code);
    CHECK_FALSE(decimals_of(code));
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

TEST_CASE("a booking of which nothing is heard expires once") {
  Shop shop;
  only<BookingCreated>(shop.request("B1", "a"));
  const auto expired = only<BookingExpired>(shop.expire("B1"));
  CHECK(expired.trip.booking_id == "B1");
  CHECK_FALSE(expired.trip.locator.empty());
  CHECK(shop.status("B1") == "expired");
  CHECK(shop.expire("B1")->empty());
  // What comes late changes nothing.
  CHECK(hand(shop.booking, TicketIssued{.trip = trip("B1"), .tickets = {}}, "t")->empty());
  CHECK(shop.status("B1") == "expired");
}

TEST_CASE("creating a booking sets its timer, concluding it cancels it") {
  Shop shop;
  const auto decide = [&shop](const auto& detail) {
    Event event;
    event.detail_type = std::remove_cvref_t<decltype(detail)>::kType;
    event.source = "test";
    event.detail = to_detail(detail);
    const std::string bytes = encode(event);
    const auto decision = shop.booking.handle(*read_event(bytes), {.steady = {}, .wall = kNow});
    REQUIRE(decision);
    REQUIRE(decision->timers.size() == 1);
    CHECK(decision->timers[0].name == "expire/B1");
    return decision->timers[0].due;
  };
  CHECK(decide(BookingRequested{.trip = trip("B1"), .card = "4242424242424242"})
        == kNow + std::chrono::minutes(15));
  CHECK_FALSE(decide(TicketIssued{.trip = trip("B1"), .tickets = {}}));
}

TEST_CASE("a customer can give a booking back, once") {
  Shop shop;
  only<BookingCreated>(shop.request("B1", "a"));
  only<BookingConfirmed>(hand(shop.booking, TicketIssued{.trip = trip("B1"), .tickets = {}}, "t"));
  only<BookingCancelled>(hand(shop.booking, CancellationRequested{.booking_id = "B1"}, "c"));
  CHECK(shop.status("B1") == "cancelled");
  CHECK(
      only<CancellationRefused>(hand(shop.booking, CancellationRequested{.booking_id = "B1"}, "d"))
          .reason
      == "it is cancelled already");
  only<CancellationRefused>(hand(shop.booking, CancellationRequested{.booking_id = "B2"}, "e"));
}

TEST_CASE("property: whatever comes in whatever order, a status moves along the table only") {
  CHECK(rc::check([] {
    Shop shop;
    only<BookingCreated>(shop.request("B1", "a"));
    booking::Status status = booking::Status::Created;
    const auto triggers = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
    int number = 0;
    for (const int chosen : triggers) {
      const auto trigger = static_cast<booking::Trigger>(chosen);
      const std::string seed = "s" + std::to_string(number++);
      const auto apply = [&]() -> Result<kit::Facts> {
        switch (trigger) {
          case booking::Trigger::Ticketed:
            return hand(shop.booking, TicketIssued{.trip = trip("B1"), .tickets = {}}, seed);
          case booking::Trigger::NotPaid:
            return hand(shop.booking, PaymentFailed{.trip = trip("B1"), .reason = "x"}, seed);
          case booking::Trigger::Refunded:
            return hand(shop.booking,
                        PaymentRefunded{.trip = trip("B1"), .payment_id = "p", .reason = "x"},
                        seed);
          case booking::Trigger::TimedOut:
            return shop.expire("B1");
          case booking::Trigger::GivenUp:
            return hand(shop.booking, CancellationRequested{.booking_id = "B1"}, seed);
        }
        return kit::Facts();
      };
      const auto facts = apply();
      RC_ASSERT(facts.has_value());
      const auto moved = booking::next(status, trigger);
      if (moved) {
        RC_ASSERT(facts->size() == 1U);
        status = *moved;
      }
      RC_ASSERT(shop.status("B1") == std::string(booking::name_of(status)));
      // Nobody can leave what is final.
      if (status == booking::Status::Cancelled || status == booking::Status::Expired) {
        RC_ASSERT(!booking::next(status, trigger));
      }
    }
  }));
}

TEST_CASE("booking handles all that its manifest says it consumes") {
  Shop it;
  test::check_manifest(it.booking);
}
