// SPDX-License-Identifier: Apache-2.0

#include "services/booking/flights.h"

#include "services/contract/currency.h"

#include <utility>

namespace conga::booking {
namespace {

constexpr std::uint64_t kMaxFare = 1'000'000'000'000;

void read_fare(ConfigReader& fares, std::string_view cabin, Flight& flight) {
  if (fares.any(cabin) == nullptr) return;
  ConfigReader reader = fares.section(cabin);
  contract::Money fare;
  reader.require("amount");
  reader.require("currency");
  reader.integer("amount", fare.amount, 1, kMaxFare);
  reader.text("currency", fare.currency);
  if (!contract::decimals_of(fare.currency)) reader.fault("currency", "is no code of ISO 4217");
  flight.fares[std::string(cabin)] = std::move(fare);
}

void read_flight(ConfigReader& reader, Flights& flights) {
  std::string number;
  std::string aircraft;  // is seating's
  Flight flight;
  for (const char* key : {"number", "from", "to", "departs", "arrives", "aircraft", "fares"}) {
    reader.require(key);
  }
  reader.text("number", number);
  reader.text("from", flight.route.from);
  reader.text("to", flight.route.to);
  reader.text("departs", flight.route.departs);
  reader.text("arrives", flight.route.arrives);
  reader.text("aircraft", aircraft);
  ConfigReader fares = reader.section("fares");
  for (const char* cabin : {"economy", "premium", "business"}) read_fare(fares, cabin, flight);
  if (flight.fares.empty())
    reader.fault("fares", "expected at least one of economy, premium, business");
  if (!flights.try_emplace(number, std::move(flight)).second) {
    reader.fault("number", "is there twice");
  }
}

}  // namespace

Result<Flights> load_flights(const std::string& path) {
  const auto document = load_config(path, {});
  if (!document) return document.failure();
  ConfigFaults faults(path);
  Flights flights;
  {
    ConfigReader reader(*document, "", faults);
    reader.require("flights");
    reader.each("flights", [&flights](ConfigReader& flight) { read_flight(flight, flights); });
  }
  if (!faults.empty()) return tl::unexpected<Error>(faults.error());
  return flights;
}

}  // namespace conga::booking
