// SPDX-License-Identifier: Apache-2.0

#include "services/seating/cabin.h"

#include <algorithm>

namespace conga::seating {
namespace {

template <class T>
bool holds(const std::vector<T>& list, const T& item) {
  return std::ranges::find(list, item) != list.end();
}

bool is_seat(std::string_view letters, std::size_t at) {
  return at < letters.size() && letters[at] != ' ';
}

Seat seat_at(const Section& section, std::uint32_t number, std::size_t column) {
  const std::string_view letters = section.letters;
  return {.name = std::to_string(number) + letters[column],
          .row = 0,
          .column = static_cast<std::uint32_t>(column),
          .window = column == 0 || column + 1 == letters.size(),
          .aisle = (column > 0 && !is_seat(letters, column - 1))
                   || (column + 1 < letters.size() && !is_seat(letters, column + 1)),
          .extra_legroom = holds(section.legroom, number),
          .rear = false};
}

void append_row(const Section& section,
                std::uint32_t number,
                std::uint32_t row,
                std::vector<Seat>& seats) {
  for (std::size_t column = 0; column < section.letters.size(); ++column) {
    if (!is_seat(section.letters, column)) continue;
    Seat seat = seat_at(section, number, column);
    if (holds(section.blocked, seat.name)) continue;
    seat.row = row;
    seats.push_back(std::move(seat));
  }
}

}  // namespace

bool Section::has_row(std::uint32_t number) const {
  return number >= first_row && number <= last_row && !holds(missing, number);
}

std::vector<Seat> Cabin::seats_of(std::string_view cabin) const {
  std::vector<Seat> seats;
  std::uint32_t rows = 0;
  for (const Section& section : sections) {
    if (section.cabin != cabin) continue;
    for (std::uint32_t number = section.first_row; number <= section.last_row; ++number) {
      if (section.has_row(number)) append_row(section, number, rows++, seats);
    }
  }
  for (Seat& seat : seats) seat.rear = seat.row >= (rows + 1) / 2;
  return seats;
}

}  // namespace conga::seating
