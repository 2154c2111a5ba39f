// SPDX-License-Identifier: Apache-2.0
//
// Ticketing: a ticket for each passenger who has a seat; numbers are unique for ever.
//
//   SeatAssigned  ->  TicketIssued

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"

#include <cstdint>

namespace conga::ticketing {

class Ticketing final : public kit::Handlers {
public:
  /// `airline`: IATA's accounting code, 0 to 999. `database` must outlive the object.
  Ticketing(kit::Database& database, std::uint32_t airline)
      : database_(database), airline_(airline) {}

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

private:
  Result<kit::Decision> issue(const contract::SeatAssigned& assigned, const Time& now);
  Result<kit::Decision> void_tickets(const contract::Trip& trip);
  Result<bool> is_settled(const std::string& booking_id);
  Result<std::string> number_for(const contract::Trip& trip,
                                 const contract::SeatOf& seat,
                                 WallTime now);

  kit::Database& database_;
  std::uint32_t airline_;
};

}  // namespace conga::ticketing
