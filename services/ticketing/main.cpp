// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/ticketing/ticketing.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  ticketing::Airline airline;
  ticketing::Ticketing* ticketing = nullptr;
  return kit::service_main(
      {.manifest = ticketing::Ticketing::declaration(),
       .description = "Issues a ticket for each passenger who has a seat.",
       .configure =
           [&](ConfigReader& section) {
             section.require("airline-code");
             section.integer("airline-code", airline.code, 0, 999);
             section.text("airline-name", airline.name);
           },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto made = std::make_unique<ticketing::Ticketing>(database, airline);
         ticketing = made.get();
         return made;
       },
       .reports = {{.flag = {.flag = "--receipt",
                             .argument = "TICKET|LOCATOR",
                             .description = "Print an itinerary receipt as text, and end"},
                    .tell = [&](kit::Database&, const std::string& which) -> Result<std::string> {
                      const auto receipt = ticketing->receipt(which);
                      if (!receipt) return receipt.failure();
                      return receipt->text;
                    }},
                   {.flag = {.flag = "--receipt-html",
                             .argument = "TICKET|LOCATOR",
                             .description = "Print an itinerary receipt as HTML, and end"},
                    .tell = [&](kit::Database&, const std::string& which) -> Result<std::string> {
                      const auto receipt = ticketing->receipt(which);
                      if (!receipt) return receipt.failure();
                      return receipt->html;
                    }}}},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
