// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/seating/seating.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  std::string cabins;
  return kit::service_main(
      {.manifest = seating::Seating::declaration(),
       .description = "Gives every paid booking its seats, and no seat twice.",
       .configure =
           [&](ConfigReader& section) {
             section.require("cabins");
             section.path("cabins", cabins);
           },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto fleet = seating::load_fleet(cabins);
         if (!fleet) return fleet.failure();
         return std::make_unique<seating::Seating>(database, std::move(*fleet));
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
