// SPDX-License-Identifier: Apache-2.0
//
// Payment: charges a booking at most once, and gives the money back when it cannot be flown.
//
//   BookingCreated   ->  PaymentConfirmed | PaymentFailed with the acquirer's reason
//   SeatUnavailable  ->  PaymentRefunded
//
// Both move money through the Acquirer, as effects: after the commit, with the booking and the
// operation as idempotency key.

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/payment/acquirer.h"

namespace conga::payment {

class Payment final : public kit::Handlers {
public:
  /// Both must outlive the object.
  Payment(kit::Database& database, Acquirer& acquirer) : database_(database), acquirer_(acquirer) {}

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;
  Result<std::string> perform(const kit::Effect& effect) override;
  Result<kit::Facts> complete(const EventView& event,
                              const kit::Effect& effect,
                              const Result<std::string>& answer,
                              const Time& now) override;

private:
  Result<kit::Decision> charge(const EventView& event);
  Result<kit::Decision> reverse(const contract::Trip& trip, const Time& now);
  Result<kit::Facts> charged(const EventView& event, const std::string& answer, const Time& now);
  Result<kit::Facts> reversed(const EventView& event, const std::string& payment_id);
  Result<std::string> status_of(const std::string& booking_id);

  kit::Database& database_;
  Acquirer& acquirer_;
};

}  // namespace conga::payment
