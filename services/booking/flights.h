// SPDX-License-Identifier: Apache-2.0
//
// read_flights: what can be booked, from the configuration.

#pragma once

#include "common/config/config_reader.h"
#include "services/booking/booking.h"

namespace conga::booking {

/// Reads `flights:`, a list of {number, cabins}.
Flights read_flights(ConfigReader& reader);

}  // namespace conga::booking
