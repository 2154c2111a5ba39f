// SPDX-License-Identifier: Apache-2.0
//
// Reads a Fleet from its two files.

#include "common/config/config_reader.h"
#include "services/seating/cabin.h"

#include <algorithm>
#include <utility>

namespace conga::seating {
namespace {

using CabinsByType = std::map<std::string, Cabin, std::less<>>;

constexpr std::uint32_t kLastRow = 99;

void read_rows(ConfigReader& reader, std::string_view key, std::vector<std::uint32_t>& rows) {
  for (const Document& element : reader.list(key)) {
    const bool number = element.kind == Document::Kind::Integer && element.integer >= 1
                        && element.integer <= kLastRow;
    if (!number) return reader.fault(key, "expected a list of rows from 1 to 99");
    rows.push_back(static_cast<std::uint32_t>(element.integer));
  }
}

void check_rows(ConfigReader& reader,
                std::string_view key,
                const Section& section,
                const std::vector<std::uint32_t>& rows) {
  for (const std::uint32_t row : rows) {
    if (row < section.first_row || row > section.last_row) {
      reader.fault(key, "row " + std::to_string(row) + " is not in this section");
    }
  }
}

/// A blocked seat that is none is a slip of the pen, and the seat that was meant would be sold.
void check_blocked(ConfigReader& reader, const Section& section) {
  Section sold = section;
  sold.blocked.clear();
  const Cabin whole{.type = {}, .sections = {sold}, .exits = {}};
  const std::vector<Seat> seats = whole.seats_of(section.cabin);
  for (const std::string& blocked : section.blocked) {
    const auto same = [&blocked](const Seat& seat) { return seat.name == blocked; };
    if (std::ranges::none_of(seats, same)) {
      reader.fault("blocked", blocked + " is no seat of this section");
    }
  }
}

Section read_section(ConfigReader& reader) {
  Section section;
  for (const char* key : {"cabin", "first-row", "last-row", "letters"}) reader.require(key);
  reader.choice(
      "cabin",
      section.cabin,
      {{"economy", std::string("economy")}, {"premium", "premium"}, {"business", "business"}});
  reader.integer("first-row", section.first_row, 1, kLastRow);
  reader.integer("last-row", section.last_row, 1, kLastRow);
  reader.text("letters", section.letters);
  read_rows(reader, "missing-rows", section.missing);
  read_rows(reader, "extra-legroom", section.legroom);
  reader.texts("blocked", section.blocked);
  if (section.last_row < section.first_row) {
    reader.fault("last-row", "is before first-row");
    return section;
  }
  check_rows(reader, "missing-rows", section, section.missing);
  check_rows(reader, "extra-legroom", section, section.legroom);
  check_blocked(reader, section);
  return section;
}

void read_type(ConfigReader& reader, CabinsByType& types) {
  Cabin cabin;
  for (const char* key : {"type", "sections"}) reader.require(key);
  reader.text("type", cabin.type);
  read_rows(reader, "exits", cabin.exits);
  reader.each("sections",
              [&cabin](ConfigReader& section) { cabin.sections.push_back(read_section(section)); });
  const std::string type = cabin.type;
  if (!types.try_emplace(type, std::move(cabin)).second) reader.fault("type", "is there twice");
}

void read_flight(ConfigReader& reader, const CabinsByType& types, Fleet& fleet) {
  std::string number;
  std::string type;
  for (const char* key : {"number", "aircraft"}) reader.require(key);
  reader.text("number", number);
  reader.text("aircraft", type);
  for (const char* key : {"from", "to", "departs", "arrives", "fares"}) reader.any(key);
  const auto found = types.find(type);
  if (found == types.end()) return reader.fault("aircraft", "is no type of the cabins' file");
  fleet[number] = found->second;
}

/// Calls `read` with a reader of the whole file.
template <class Read>
Result<> read_file(const std::string& path, Read read) {
  const auto document = load_config(path, {});
  if (!document) return document.failure();
  ConfigFaults faults(path);
  {
    ConfigReader reader(*document, "", faults);
    read(reader);
  }
  if (!faults.empty()) return tl::unexpected<Error>(faults.error());
  return {};
}

}  // namespace

Result<Fleet> load_fleet(const std::string& cabins, const std::string& flights) {
  CabinsByType types;
  const auto typed = read_file(cabins, [&types](ConfigReader& reader) {
    reader.require("aircraft");
    reader.each("aircraft", [&types](ConfigReader& aircraft) { read_type(aircraft, types); });
  });
  if (!typed) return typed.failure();
  Fleet fleet;
  const auto flown = read_file(flights, [&types, &fleet](ConfigReader& reader) {
    reader.require("flights");
    reader.each("flights",
                [&types, &fleet](ConfigReader& flight) { read_flight(flight, types, fleet); });
  });
  if (!flown) return flown.failure();
  return fleet;
}

}  // namespace conga::seating
