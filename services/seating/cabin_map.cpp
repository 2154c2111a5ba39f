// SPDX-License-Identifier: Apache-2.0

#include "services/seating/cabin_map.h"

#include <algorithm>
#include <set>

namespace conga::seating {
namespace {

constexpr std::string_view kLegend =
    "  X taken   . free   + free, extra legroom   # not sold   < > exit\n";

bool has(const std::vector<std::uint32_t>& rows, std::uint32_t row) {
  return std::ranges::find(rows, row) != rows.end();
}

char mark_of(const Section& section, std::uint32_t row, char letter, const SeatNames& taken) {
  if (letter == ' ') return ' ';
  const std::string name = std::to_string(row) + letter;
  if (taken.contains(name)) return 'X';
  if (std::ranges::find(section.blocked, name) != section.blocked.end()) return '#';
  return has(section.legroom, row) ? '+' : '.';
}

std::string row_line(const Cabin& cabin,
                     const Section& section,
                     std::uint32_t row,
                     const SeatNames& taken) {
  const bool exit = has(cabin.exits, row);
  std::string line = (row < 10 ? "   " : "  ") + std::to_string(row) + (exit ? " <" : "  ");
  for (const char letter : section.letters) {
    line += ' ';
    line += mark_of(section, row, letter, taken);
  }
  return line + (exit ? " >\n" : "\n");
}

std::string letters_line(const Section& section) {
  std::string line = "      ";
  for (const char letter : section.letters) line.append({' ', letter});
  return line + "   " + section.cabin + "\n";
}

}  // namespace

std::string cabin_map(const std::string& heading, const Cabin& cabin, const SeatNames& taken) {
  std::string rows;
  std::set<std::string_view> classes;
  for (const Section& section : cabin.sections) {
    classes.insert(section.cabin);
    rows += letters_line(section);
    for (std::uint32_t row = section.first_row; row <= section.last_row; ++row) {
      if (section.has_row(row)) rows += row_line(cabin, section, row, taken);
    }
  }
  std::size_t seats = 0;
  for (const std::string_view each : classes) seats += cabin.seats_of(each).size();
  return heading + ", " + cabin.type + ": " + std::to_string(taken.size()) + " of "
         + std::to_string(seats) + " seats taken\n" + std::string(kLegend) + rows;
}

}  // namespace conga::seating
