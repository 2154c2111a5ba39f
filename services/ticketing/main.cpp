// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/ticketing/ticketing.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  std::uint32_t airline = 0;
  return kit::service_main(
      {.manifest = ticketing::Ticketing::declaration(),
       .description = "Issues a ticket for each passenger who has a seat.",
       .configure =
           [&](ConfigReader& section) {
             section.require("airline-code");
             section.integer("airline-code", airline, 0, 999);
           },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         return std::make_unique<ticketing::Ticketing>(database, airline);
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
