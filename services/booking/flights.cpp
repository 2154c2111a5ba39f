// SPDX-License-Identifier: Apache-2.0

#include "services/booking/flights.h"

#include <utility>

namespace conga::booking {

Flights read_flights(ConfigReader& reader) {
  Flights flights;
  reader.each("flights", [&flights](ConfigReader& flight) {
    std::string number;
    std::vector<std::string> cabins;
    flight.require("number");
    flight.require("cabins");
    flight.text("number", number);
    flight.texts("cabins", cabins);
    flight.finish();
    flights[number] = std::move(cabins);
  });
  return flights;
}

}  // namespace conga::booking
