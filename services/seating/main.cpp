// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/seating/seating.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  std::string cabins;
  std::string flights;
  seating::Seating* seating = nullptr;
  return kit::service_main(
      {.manifest = seating::Seating::declaration(),
       .description = "Gives every paid booking its seats, and no seat twice.",
       .configure =
           [&](ConfigReader& section) {
             section.require("cabins");
             section.require("flights");
             section.path("cabins", cabins);
             section.path("flights", flights);
           },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto fleet = seating::load_fleet(cabins, flights);
         if (!fleet) return fleet.failure();
         auto made = std::make_unique<seating::Seating>(database, std::move(*fleet));
         seating = made.get();
         return made;
       },
       .reports = {{.flag = {.flag = "--map",
                             .argument = "FLIGHT[/DATE]",
                             .description = "Print which seats are taken, and end"},
                    .tell = [&](kit::Database&,
                                const std::string& flight) { return seating->map(flight); }}}},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
