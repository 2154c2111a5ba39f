// SPDX-License-Identifier: Apache-2.0
//
// Cabin: which seats an aircraft has, and who may sit in them. Read from config/cabins.yaml.

#pragma once

#include "common/config/config_reader.h"
#include "common/core/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace conga::seating {

/// The rows of one class. An aisle is a space between letters: `ABC DEF`.
struct Section {
  std::string cabin;  ///< economy, premium, business
  std::uint32_t first_row = 0;
  std::uint32_t last_row = 0;
  std::string letters;               ///< Left to right, a space for each aisle.
  std::vector<std::string> blocked;  ///< Seats that are never sold: crew rest, broken.
};

struct Cabin {
  std::vector<Section> sections;

  /// Row by row, left to right; each row a list of seats such as 12A.
  std::vector<std::vector<std::string>> rows_of(std::string_view cabin) const;
};

/// Flight number to its cabin.
using Fleet = std::map<std::string, Cabin, std::less<>>;

/// Reads `aircraft:` (type to sections) and `flights:` (number to type).
Fleet read_fleet(ConfigReader& reader);

/// read_fleet() of a file; every fault of it as `file:line:column: what`.
Result<Fleet> load_fleet(const std::string& path);

}  // namespace conga::seating
