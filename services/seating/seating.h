// SPDX-License-Identifier: Apache-2.0
//
// Seating: every paid booking gets a seat for each passenger, and no seat is given twice.
//
//   PaymentConfirmed  ->  SeatAssigned | SeatUnavailable
//
// Passengers of one booking sit in one row if there is such a row, else as near as possible.

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/seating/cabin.h"

#include <set>
#include <string>
#include <vector>

namespace conga::seating {

/// `count` free seats, as near to each other as can be; fewer than `count` are free: none.
std::vector<std::string> choose_seats(const std::vector<std::vector<std::string>>& rows,
                                      const std::set<std::string, std::less<>>& taken,
                                      std::size_t count);

class Seating final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Seating(kit::Database& database, Fleet fleet);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

private:
  Result<kit::Decision> seat(const contract::Trip& trip);
  Result<kit::Decision> release(const contract::Trip& trip);
  Result<bool> is_settled(const std::string& booking_id);
  Result<std::vector<contract::SeatOf>> assign(const contract::Trip& trip);
  Result<> give(const contract::Trip& trip, const std::vector<contract::SeatOf>& seats);

  kit::Database& database_;
  Fleet fleet_;
};

}  // namespace conga::seating
