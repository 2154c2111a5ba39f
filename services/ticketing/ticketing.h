// SPDX-License-Identifier: Apache-2.0
//
// Ticketing: a ticket for each passenger who has a seat; numbers are unique for ever.
//
//   SeatAssigned                      ->  TicketIssued, with the itinerary receipt
//   BookingCancelled, BookingExpired  ->  TicketVoided, if it had tickets

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/ticketing/receipt.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace conga::ticketing {

class Ticketing final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Ticketing(kit::Database& database, Airline airline)
      : database_(database), airline_(std::move(airline)) {}

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

  /// Of a ticket's number or a booking's locator. Permanent with code `UnknownTicket`.
  Result<contract::Receipt> receipt(std::string_view number_or_locator);

private:
  Result<kit::Decision> issue(const contract::SeatAssigned& assigned, const Time& now);
  Result<kit::Decision> void_tickets(const contract::Trip& trip);
  Result<bool> is_settled(const std::string& booking_id);
  Result<> keep_receipt(const contract::Trip& trip, const contract::Receipt& receipt);
  Result<> add_coupons(const contract::Trip& trip, std::int64_t serial);
  Result<std::string> number_for(const contract::Trip& trip,
                                 const contract::SeatOf& seat,
                                 WallTime now);

  kit::Database& database_;
  Airline airline_;
};

}  // namespace conga::ticketing
