// SPDX-License-Identifier: Apache-2.0
//
// Cabin: which seats an aircraft has, and what each is like. Read from config/cabins.yaml; which
// flight is flown with which aircraft, from config/flights.yaml.

#pragma once

#include "common/core/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conga::seating {

/// The rows of one class.
struct Section {
  std::string cabin;  ///< economy, premium, business
  std::uint32_t first_row = 0;
  std::uint32_t last_row = 0;
  std::string letters;                      ///< Left to right, a space for each aisle: `ABC DEF`.
  std::vector<std::uint32_t> missing = {};  ///< Numbers that no row has, such as 13.
  std::vector<std::string> blocked = {};    ///< Seats that are never sold: crew rest, no window.
  std::vector<std::uint32_t> legroom = {};  ///< Rows with extra legroom.

  bool has_row(std::uint32_t number) const;
};

struct Seat {
  std::string name;          ///< 12A
  std::uint32_t row = 0;     ///< How many rows of its class are before it.
  std::uint32_t column = 0;  ///< How many seats and aisles are left of it.
  bool window = false;
  bool aisle = false;  ///< One that is neither is a middle seat; in a small jet one may be both.
  bool extra_legroom = false;
  bool rear = false;  ///< In the rear half of its class.
};

struct Cabin {
  std::string type = {};  ///< A320
  std::vector<Section> sections = {};
  std::vector<std::uint32_t> exits = {};  ///< Rows at an emergency exit.

  /// The seats of a class that can be sold, row by row, left to right; empty if it has none.
  std::vector<Seat> seats_of(std::string_view cabin) const;
};

/// Flight number to its cabin.
using Fleet = std::map<std::string, Cabin, std::less<>>;

/// `cabins`, `flights`: paths of the two files. Every fault of them as `file:line:column: what`.
Result<Fleet> load_fleet(const std::string& cabins, const std::string& flights);

}  // namespace conga::seating
