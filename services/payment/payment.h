// SPDX-License-Identifier: Apache-2.0
//
// Payment: charges a booking at most once, and gives the money back when it cannot be flown.
//
//   BookingCreated   ->  PaymentConfirmed | PaymentFailed with the acquirer's reason
//   SeatUnavailable, BookingCancelled, BookingExpired  ->  PaymentRefunded, if money had moved
//
// Both move money through the Acquirer, as effects: after the commit, with the booking and the
// operation as idempotency key. What moved is in the ledger.

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/payment/acquirer.h"
#include "services/payment/ledger.h"

namespace conga::payment {

class Payment final : public kit::Handlers {
public:
  /// Both must outlive the object.
  Payment(kit::Database& database, Acquirer& acquirer)
      : database_(database), acquirer_(acquirer), ledger_(database) {}

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;
  Result<std::string> perform(const kit::Effect& effect) override;
  Result<kit::Facts> complete(const EventView& event,
                              const kit::Effect& effect,
                              const Result<std::string>& answer,
                              const Time& now) override;

  Ledger& ledger() { return ledger_; }

private:
  Result<std::string> move_money(const kit::Effect& effect);
  Result<kit::Decision> charge(const EventView& event);
  Result<kit::Decision> reverse(const contract::Trip& trip, const Time& now);
  Result<kit::Facts> charged(const EventView& event, const std::string& answer, const Time& now);
  Result<kit::Facts> reversed(const EventView& event, const std::string& answer, const Time& now);
  Result<std::string> status_of(const std::string& booking_id);

  kit::Database& database_;
  Acquirer& acquirer_;
  Ledger ledger_;
};

}  // namespace conga::payment
