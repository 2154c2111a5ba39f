// SPDX-License-Identifier: Apache-2.0
//
// Booking: takes requests, and knows how each booking stands.
//
//   BookingRequested  ->  BookingCreated | BookingRejected with every fault
//   TicketIssued      ->  BookingConfirmed
//   PaymentFailed, PaymentRefunded  ->  BookingCancelled
//
// A booking's status only moves along status.h's table: repeated and late events change nothing.

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"

#include <map>
#include <string>
#include <vector>

namespace conga::booking {

/// What can be booked: flight number to its cabins.
using Flights = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Every fault of the request, as a customer would read it; none: it can be booked.
std::vector<std::string> faults_of(const contract::BookingRequested& request,
                                   const Flights& flights);

class Booking final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Booking(kit::Database& database, Flights flights);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

private:
  Result<kit::Decision> begin_flow(const EventView& event, const Time& now);
  Result<kit::Decision> request(const EventView& event,
                                const contract::BookingRequested& request,
                                const Time& now);
  Result<kit::Decision> confirm(const EventView& event);
  Result<kit::Decision> cancel(const contract::Trip& trip, const std::string& reason);
  Result<std::string> free_locator(const EventView& event);

  kit::Database& database_;
  Flights flights_;
};

}  // namespace conga::booking
