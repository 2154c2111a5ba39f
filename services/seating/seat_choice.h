// SPDX-License-Identifier: Apache-2.0
//
// Which of the free seats a booking gets: near to each other first, then as its passengers wish.
//
// A choice of seats is as good as its sum is low, counted from the seat in it that makes the sum
// lowest:
//
//   10 for each step to every other seat of the booking: a step is a seat, or an aisle, to the
//   side;
//      a row to the front or the rear is three
//    4 for each seat that is not at the window, at the aisle or in the middle, as wished
//    3 for each without extra legroom, where it was wished
//    2 for each that is not in the front or in the rear, as wished
//    1 for each with extra legroom that nobody asked for
//
// The lowest sum wins, and of equal ones the one furthest to the front and to the left. No other
// choice has a lower sum: from a given seat the nearest ones are the best, and every seat is tried.

#pragma once

#include "services/contract/events.h"
#include "services/seating/cabin.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace conga::seating {

/// Names of seats.
using SeatNames = std::set<std::string, std::less<>>;

/// Those that nobody has.
std::vector<Seat> free_seats(std::vector<Seat> seats, const SeatNames& taken);

/// What the seats of one booking cost, as told above. `seats`: one or more.
std::uint32_t cost_of(const std::vector<Seat>& seats, const contract::SeatPreferences& wishes);

/// `count` of `free`, in the order of `free`, which is row by row and left to right; none if there
/// are fewer. `count`: 1 and up.
std::vector<Seat> choose_seats(const std::vector<Seat>& free,
                               const contract::SeatPreferences& wishes,
                               std::size_t count);

}  // namespace conga::seating
