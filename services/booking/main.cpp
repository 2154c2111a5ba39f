// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"
#include "services/booking/flights.h"
#include "services/kit/service_main.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  booking::Flights flights;
  return kit::service_main(
      {.manifest = booking::Booking::declaration(),
       .description = "Takes flight bookings, and confirms or cancels them as the others report.",
       .configure = [&](ConfigReader& section) { flights = booking::read_flights(section); },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         return std::make_unique<booking::Booking>(database, flights);
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
