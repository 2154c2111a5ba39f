// SPDX-License-Identifier: Apache-2.0
//
// Seating: every paid booking gets a seat for each passenger, and no seat is given twice.
//
//   PaymentConfirmed                  ->  SeatAssigned | SeatUnavailable
//   BookingCancelled, BookingExpired  ->  SeatReleased, if it had seats
//
// Which seats, seat_choice.h tells.

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/seating/cabin.h"
#include "services/seating/seat_choice.h"

#include <string>
#include <vector>

namespace conga::seating {

class Seating final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Seating(kit::Database& database, Fleet fleet);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

  /// The cabin of `flight` as people read it: `LH123/2026-12-01`, or `LH123` for every day that has
  /// bookings. Permanent with code `UnknownFlight`.
  Result<std::string> map(const std::string& flight);

private:
  Result<kit::Decision> seat(const contract::Trip& trip);
  Result<kit::Decision> release(const contract::Trip& trip);
  Result<bool> is_settled(const std::string& booking_id);
  Result<std::vector<contract::SeatOf>> assign(const contract::Trip& trip);
  Result<SeatNames> taken(std::string_view flight, std::string_view date);
  Result<> give(const contract::Trip& trip, const std::vector<contract::SeatOf>& seats);

  kit::Database& database_;
  Fleet fleet_;
};

}  // namespace conga::seating
