// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a booking request, as a customer would read it.

#pragma once

#include "common/core/clock.h"
#include "services/booking/flights.h"
#include "services/contract/events.h"

#include <string>
#include <vector>

namespace conga::booking {

/// Seats are sold for at most so many days ahead, as is usual among airlines.
inline constexpr int kDaysOnSale = 361;

/// The day of `now` and so many more, in UTC: 2026-12-01.
std::string date_after(WallTime now, int days);

/// Every fault of the request; none: it can be booked.
std::vector<std::string> faults_of(const contract::BookingRequested& request,
                                   const Flights& flights,
                                   WallTime now);

}  // namespace conga::booking
