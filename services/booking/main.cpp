// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"
#include "services/kit/service_main.h"

namespace conga {
namespace {

void read_options(ConfigReader& section, booking::BookingOptions& options) {
  std::string path;
  section.require("flights");
  section.path("flights", path);
  section.duration(
      "expire-after", options.expire_after, std::chrono::seconds(1), std::chrono::hours(24 * 7));
  if (path.empty()) return;
  auto flights = booking::load_flights(path);
  if (!flights) return section.fault("flights", flights.error().what);
  options.flights = std::move(*flights);
}

int start(int argc, char** argv) {
  booking::BookingOptions options;
  return kit::service_main(
      {.manifest = booking::Booking::declaration(),
       .description = "Takes flight bookings, and confirms or cancels them as the others report.",
       .configure = [&](ConfigReader& section) { read_options(section, options); },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         return std::make_unique<booking::Booking>(database, options);
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
