// SPDX-License-Identifier: Apache-2.0

#include "services/seating/cabin.h"

#include <algorithm>
#include <utility>

namespace conga::seating {
namespace {

Section read_section(ConfigReader& reader) {
  Section section;
  reader.require("cabin");
  reader.require("first-row");
  reader.require("last-row");
  reader.require("letters");
  reader.text("cabin", section.cabin);
  reader.integer("first-row", section.first_row, 1, 99);
  reader.integer("last-row", section.last_row, 1, 99);
  reader.text("letters", section.letters);
  reader.texts("blocked", section.blocked);
  reader.finish();
  if (section.last_row < section.first_row) reader.fault("last-row", "is before first-row");
  return section;
}

/// The seats of one row that can be sold, from left to right. A blank is an aisle.
std::vector<std::string> row_of(const Section& section, std::uint32_t number) {
  std::vector<std::string> row;
  for (const char letter : section.letters) {
    std::string seat = std::to_string(number) + letter;
    const bool blocked = std::ranges::find(section.blocked, seat) != section.blocked.end();
    if (letter != ' ' && !blocked) row.push_back(std::move(seat));
  }
  return row;
}

}  // namespace

std::vector<std::vector<std::string>> Cabin::rows_of(std::string_view cabin) const {
  std::vector<std::vector<std::string>> rows;
  for (const Section& section : sections) {
    if (section.cabin != cabin) continue;
    for (std::uint32_t number = section.first_row; number <= section.last_row; ++number) {
      rows.push_back(row_of(section, number));
    }
  }
  return rows;
}

Fleet read_fleet(ConfigReader& reader) {
  std::map<std::string, Cabin, std::less<>> types;
  reader.each("aircraft", [&types](ConfigReader& aircraft) {
    std::string type;
    aircraft.require("type");
    aircraft.text("type", type);
    Cabin cabin;
    aircraft.each("sections", [&cabin](ConfigReader& section) {
      cabin.sections.push_back(read_section(section));
    });
    aircraft.finish();
    types[type] = std::move(cabin);
  });
  Fleet fleet;
  reader.each("flights", [&types, &fleet](ConfigReader& flight) {
    std::string number;
    std::string type;
    flight.require("number");
    flight.require("aircraft");
    flight.text("number", number);
    flight.text("aircraft", type);
    flight.finish();
    const auto found = types.find(type);
    if (found == types.end()) {
      flight.fault("aircraft", "is none of the types above");
    } else {
      fleet[number] = found->second;
    }
  });
  return fleet;
}

Result<Fleet> load_fleet(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) return text.failure();
  const auto document = parse_yaml(*text, path);
  if (!document) return document.failure();
  ConfigFaults faults(path);
  ConfigReader reader(*document, "", faults);
  Fleet fleet = read_fleet(reader);
  reader.finish();
  if (!faults.empty()) return tl::unexpected<Error>(faults.error());
  return fleet;
}

}  // namespace conga::seating
