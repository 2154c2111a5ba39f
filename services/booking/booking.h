// SPDX-License-Identifier: Apache-2.0
//
// Booking: takes requests, and knows how each booking stands.
//
//   BookingRequested                ->  BookingCreated | BookingRejected with every fault
//   TicketIssued                    ->  BookingConfirmed
//   PaymentFailed, PaymentRefunded  ->  BookingCancelled
//   CancellationRequested           ->  BookingCancelled | CancellationRefused
//   nothing for too long            ->  BookingExpired
//
// A booking's status only moves along status.h's table: repeated and late events change nothing.

#pragma once

#include "services/booking/flights.h"
#include "services/booking/status.h"
#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"

#include <optional>
#include <string>

namespace conga::booking {

struct BookingOptions {
  Flights flights;
  /// How long a booking may stay created before it expires, by the wall clock.
  Duration expire_after = std::chrono::minutes(15);
};

class Booking final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Booking(kit::Database& database, BookingOptions options);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;
  Result<kit::Facts> on_timer(const std::string& name, const Time& now) override;

private:
  struct Stored {
    Status status = Status::Created;
    contract::Trip trip;
  };

  Result<kit::Decision> request(const EventView& event, const Time& now);
  Result<kit::Decision> create(const EventView& event,
                               const contract::BookingRequested& request,
                               const Time& now);
  Result<kit::Decision> conclude(const EventView& event);
  Result<kit::Decision> give_up(const EventView& event);
  Result<std::optional<Stored>> find(const std::string& booking_id);
  Result<kit::Decision> move(const std::string& booking_id,
                             Trigger trigger,
                             const std::string& reason);
  Result<std::string> free_locator(const EventView& event);

  kit::Database& database_;
  BookingOptions options_;
};

}  // namespace conga::booking
