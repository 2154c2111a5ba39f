// SPDX-License-Identifier: Apache-2.0

#include "services/payment/payment.h"

#include "services/payment/test_acquirer.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>

#include <string>

using namespace conga;
using namespace conga::contract;
using conga::test::hand;
using conga::test::only;
using conga::test::trip;

namespace {

struct Till {
  Till() {
    REQUIRE(payment.migrate());
    REQUIRE(acquirer.migrate());
  }

  Result<kit::Facts> charge(const std::string& card, const std::string& seed) {
    return hand(payment, BookingCreated{.trip = trip("B1"), .card = card}, seed);
  }

  Result<kit::Facts> no_seat(const std::string& seed) {
    return hand(payment, SeatUnavailable{.trip = trip("B1"), .reason = "full"}, seed);
  }

  std::int64_t count(const std::string& table) const {
    const auto row = books->one("SELECT COUNT(*) FROM " + table);
    REQUIRE(row);
    return (*row)->integer(0);
  }

  std::unique_ptr<kit::Database> books = kit::Database::in_memory();
  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  payment::TestAcquirer acquirer{*books};
  payment::Payment payment{*database, acquirer};
};

}  // namespace

TEST_CASE("a good card is charged") {
  Till till;
  CHECK_FALSE(only<PaymentConfirmed>(till.charge("4242424242424242", "a")).payment_id.empty());
  CHECK(till.count("charges") == 1);
}

TEST_CASE("a declined card is a fact with the acquirer's reason, not an error") {
  Till till;
  CHECK(only<PaymentFailed>(till.charge("4000000000000002", "a")).reason == "card_declined");
  Till other;
  CHECK(only<PaymentFailed>(other.charge("4000000000009995", "a")).reason == "insufficient_funds");
}

TEST_CASE("a lost answer is asked for again, and the booking is charged once") {
  Till till;
  const auto first = till.charge("4000000000000119", "a");
  REQUIRE_FALSE(first);
  CHECK(first.error().fault == Fault::Transient);
  CHECK(first.error().code == "AcquirerTimeout");
  only<PaymentConfirmed>(till.charge("4000000000000119", "a"));
  CHECK(till.count("charges") == 1);
}

TEST_CASE("an acquirer that never answers never charges") {
  Till till;
  for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(till.charge("4000000000000259", "a"));
  CHECK(till.count("charges") == 0);
}

TEST_CASE("a charge without a seat is refunded once, with the same payment id") {
  Till till;
  const auto paid = only<PaymentConfirmed>(till.charge("4242424242424242", "a"));
  CHECK(only<PaymentRefunded>(till.no_seat("n")).payment_id == paid.payment_id);
  const auto again = till.no_seat("m");
  REQUIRE(again);
  CHECK(again->empty());
  CHECK(till.count("refunds") == 1);
}

TEST_CASE("a booking that ends is given its money back once, whatever ends it and how often") {
  Till till;
  only<PaymentConfirmed>(till.charge("4242424242424242", "a"));
  only<PaymentRefunded>(
      hand(till.payment, BookingExpired{.trip = trip("B1"), .reason = "late"}, "x"));
  CHECK(till.no_seat("n")->empty());
  CHECK(hand(till.payment, BookingCancelled{.trip = trip("B1"), .reason = "no"}, "c")->empty());
  CHECK(till.count("refunds") == 1);
}

TEST_CASE("a booking that ends before it is charged never is") {
  Till till;
  CHECK(hand(till.payment, BookingExpired{.trip = trip("B1"), .reason = "late"}, "x")->empty());
  CHECK(till.charge("4242424242424242", "a")->empty());
  CHECK(till.count("charges WHERE payment_id != ''") == 0);
}

TEST_CASE("a charge whose answer was lost is found and given back when the booking ends") {
  Till till;
  CHECK_FALSE(till.charge("4000000000000119", "a"));
  only<PaymentRefunded>(
      hand(till.payment, BookingExpired{.trip = trip("B1"), .reason = "late"}, "x"));
  CHECK(till.charge("4000000000000119", "a")->empty());
  CHECK(till.count("refunds") == 1);
}

TEST_CASE("a charge that ends after its booking did tells nothing") {
  Till till;
  const BookingCreated created{.trip = trip("B1"), .card = "4242424242424242"};
  // As hand() does, with the end of the booking between the decision and the charge.
  Event event;
  event.source = "test";
  event.detail_type = BookingCreated::kType;
  event.detail = to_detail(created);
  const std::string bytes = encode(event);
  const auto view = read_event(bytes);
  const Time now{.steady = {}, .wall = {}};
  const auto decision = till.payment.handle(*view, now);
  REQUIRE(decision->effect);
  const auto answer = till.payment.perform(*decision->effect);
  only<PaymentRefunded>(
      hand(till.payment, BookingExpired{.trip = trip("B1"), .reason = "late"}, "x"));
  CHECK(till.payment.complete(*view, *decision->effect, answer, now)->empty());
}
