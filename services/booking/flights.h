// SPDX-License-Identifier: Apache-2.0
//
// Flights: what can be booked and what it costs. Read from config/flights.yaml, which seating reads
// too.

#pragma once

#include "common/config/config_reader.h"
#include "services/contract/events.h"

#include <map>
#include <string>

namespace conga::booking {

struct Flight {
  contract::Route route;
  std::map<std::string, contract::Money, std::less<>> fares;  ///< By cabin, for one passenger.
};

/// By flight number.
using Flights = std::map<std::string, Flight, std::less<>>;

/// Every fault of the file as `file:line:column: what`.
Result<Flights> load_flights(const std::string& path);

}  // namespace conga::booking
