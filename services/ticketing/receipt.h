// SPDX-License-Identifier: Apache-2.0
//
// The itinerary receipt: what the passengers fly, with which tickets, and what was paid; as text
// and as HTML that say the same.

#pragma once

#include "common/core/clock.h"
#include "services/contract/events.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::ticketing {

struct Airline {
  std::uint32_t code = 0;            ///< IATA's accounting code, 0 to 999.
  std::string name = "The airline";  ///< As receipts call it.
};

contract::Receipt make_receipt(const Airline& airline,
                               const contract::Trip& trip,
                               const std::vector<contract::Ticket>& tickets,
                               WallTime issued);

}  // namespace conga::ticketing
