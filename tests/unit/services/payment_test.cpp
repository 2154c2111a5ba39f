// SPDX-License-Identifier: Apache-2.0

#include "services/payment/payment.h"

#include "services/payment/test_acquirer.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

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

  std::int64_t captured() const { return count("captures WHERE reason = ''"); }

  /// What the acquirer owes us, as the ledger has it.
  std::int64_t receivable() {
    const auto faults = payment.ledger().faults();
    REQUIRE(faults);
    REQUIRE(faults->empty());
    const auto balances = payment.ledger().balances();
    REQUIRE(balances);
    std::int64_t all = 0;
    std::int64_t receivable = 0;
    for (const payment::Balance& each : *balances) {
      all += each.debit - each.credit;
      if (each.account == "acquirer") receivable = each.debit - each.credit;
    }
    REQUIRE(all == 0);
    return receivable;
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
  CHECK(till.captured() == 1);
}

TEST_CASE("a card that is approved, and cannot be captured, is declined and set free again") {
  Till till;
  CHECK(only<PaymentFailed>(till.charge("4000000000000408", "a")).reason
        == "authorisation_expired");
  // The same event once more, as after a crash, is answered as the first time.
  CHECK(only<PaymentFailed>(till.charge("4000000000000408", "a")).reason
        == "authorisation_expired");
  CHECK(till.count("voids") == 1);
  CHECK(till.count("refunds") == 0);
  CHECK(till.receivable() == 0);
}

TEST_CASE("the same amount on the duplicate card is declined the second time") {
  Till till;
  only<PaymentConfirmed>(till.charge("4000000000000341", "a"));
  const auto other =
      hand(till.payment, BookingCreated{.trip = trip("B2"), .card = "4000000000000341"}, "b");
  CHECK(only<PaymentFailed>(other).reason == "duplicate_transaction");
}

TEST_CASE("a declined card is a fact with the acquirer's reason, not an error") {
  Till till;
  CHECK(only<PaymentFailed>(till.charge("4000000000000002", "a")).reason == "card_declined");
  Till other;
  CHECK(only<PaymentFailed>(other.charge("4000000000009995", "a")).reason == "insufficient_funds");
  CHECK(till.receivable() == 0);
}

TEST_CASE("a lost answer is asked for again, and the booking is charged once") {
  Till till;
  const auto first = till.charge("4000000000000119", "a");
  REQUIRE_FALSE(first);
  CHECK(first.error().fault == Fault::Transient);
  CHECK(first.error().code == "AcquirerTimeout");
  only<PaymentConfirmed>(till.charge("4000000000000119", "a"));
  CHECK(till.captured() == 1);
}

TEST_CASE("a capture whose answer is lost is asked for again, and made once") {
  Till till;
  CHECK(till.charge("4000000000000135", "a").error().code == "AcquirerTimeout");
  only<PaymentConfirmed>(till.charge("4000000000000135", "a"));
  CHECK(till.captured() == 1);
  CHECK(till.receivable() == 12300);
}

TEST_CASE("an acquirer that never answers never charges") {
  Till till;
  for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(till.charge("4000000000000259", "a"));
  CHECK(till.captured() == 0);
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
  CHECK(till.captured() == 0);
}

TEST_CASE("a charge whose answer was lost is found and given back when the booking ends") {
  Till till;
  CHECK_FALSE(till.charge("4000000000000135", "a"));
  only<PaymentRefunded>(
      hand(till.payment, BookingExpired{.trip = trip("B1"), .reason = "late"}, "x"));
  CHECK(till.charge("4000000000000135", "a")->empty());
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

TEST_CASE("the ledger tells its balances, and complains of what does not add up") {
  Till till;
  only<PaymentConfirmed>(till.charge("4242424242424242", "a"));
  only<PaymentRefunded>(till.no_seat("n"));
  const auto report = till.payment.ledger().report();
  REQUIRE(report);
  CHECK(*report
        == "account    currency            debit           credit          balance\n"
           "acquirer   EUR                123.00           123.00             0.00\n"
           "refunds    EUR                123.00             0.00           123.00\n"
           "sales      EUR                  0.00           123.00          -123.00\n"
           "2 transfers, balanced\n");
  REQUIRE(till.database->run("DELETE FROM entries WHERE account = 'refunds'"));
  const auto wrong = till.payment.ledger().report();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().fault == Fault::Corrupt);
  CHECK(wrong.error().what.find("the refund of B1 does not balance") != std::string::npos);
}

TEST_CASE(
    "property: whatever comes in whatever order, the ledger balances and agrees with the bank") {
  CHECK(rc::check([] {
    Till till;
    const auto cards = rc::gen::element<std::string>("4242424242424242",
                                                     "4000000000000002",
                                                     "4000000000000408",
                                                     "4000000000000119",
                                                     "4000000000000135");
    // A booking keeps its card.
    std::vector<std::string> card_of;
    for (int booking = 0; booking < 3; ++booking) card_of.push_back(*cards);
    const int steps = *rc::gen::inRange(1, 20);
    for (int step = 0; step < steps; ++step) {
      const std::size_t booking = *rc::gen::element<std::size_t>(0, 1, 2);
      const Trip about = trip("B" + std::to_string(booking));
      const std::string seed = std::to_string(step);
      if (*rc::gen::element(0, 0, 1) == 0) {
        static_cast<void>(
            hand(till.payment, BookingCreated{.trip = about, .card = card_of[booking]}, seed));
      } else {
        static_cast<void>(
            hand(till.payment, BookingCancelled{.trip = about, .reason = "no"}, seed));
      }
    }
    // What is in doubt is asked for again, as the sidecar does.
    for (std::size_t booking = 0; booking < card_of.size(); ++booking) {
      for (int attempt = 0; attempt < 3; ++attempt) {
        static_cast<void>(hand(
            till.payment,
            BookingCreated{.trip = trip("B" + std::to_string(booking)), .card = card_of[booking]},
            "again" + std::to_string(booking) + std::to_string(attempt)));
      }
    }
    const std::int64_t kept = till.captured() - till.count("refunds");
    RC_ASSERT(till.receivable() == kept * 12300);
    RC_ASSERT(till.count("refunds") <= till.captured());
    const auto charged = till.database->one("SELECT count(*) FROM payments WHERE status='charged'");
    RC_ASSERT((*charged)->integer(0) == kept);
  }));
}

TEST_CASE("payment handles all that its manifest says it consumes") {
  Till it;
  test::check_manifest(it.payment);
}
