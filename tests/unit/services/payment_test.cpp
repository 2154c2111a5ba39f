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

TEST_CASE("what was never charged cannot be refunded") {
  Till till;
  const auto refused = till.no_seat("n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "NotCharged");
}
