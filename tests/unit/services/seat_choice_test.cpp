// SPDX-License-Identifier: Apache-2.0

#include "services/seating/seat_choice.h"

#include "services/seating/cabin_map.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using conga::contract::SeatPreferences;
using conga::seating::Cabin;
using conga::seating::choose_seats;
using conga::seating::cost_of;
using conga::seating::free_seats;
using conga::seating::Seat;
using conga::seating::SeatNames;
using conga::seating::Section;

namespace {

Cabin narrow() {
  const Section section{.cabin = "economy",
                        .first_row = 11,
                        .last_row = 16,
                        .letters = "ABC DEF",
                        .missing = {13},
                        .blocked = {"11A"},
                        .legroom = {12}};
  return {.type = "A320", .sections = {section}, .exits = {12}};
}

std::vector<std::string> names_of(const std::vector<Seat>& seats) {
  std::vector<std::string> names;
  for (const Seat& seat : seats) names.push_back(seat.name);
  return names;
}

std::vector<std::string> chosen(std::size_t count,
                                const SeatPreferences& wishes,
                                const SeatNames& taken = {}) {
  return names_of(choose_seats(free_seats(narrow().seats_of("economy"), taken), wishes, count));
}

using Names = std::vector<std::string>;

/// Of all sets of `count` of `free`.
std::uint32_t lowest_cost(const std::vector<Seat>& free,
                          const SeatPreferences& wishes,
                          std::size_t count) {
  std::uint32_t lowest = std::numeric_limits<std::uint32_t>::max();
  for (std::uint32_t set = 0; set < (1U << free.size()); ++set) {
    std::vector<Seat> seats;
    for (std::size_t at = 0; at < free.size(); ++at) {
      if ((set >> at & 1U) != 0) seats.push_back(free[at]);
    }
    if (seats.size() == count) lowest = std::min(lowest, cost_of(seats, wishes));
  }
  return lowest;
}

SeatPreferences any_wishes() {
  return {.position = *rc::gen::element<std::string>("", "window", "aisle", "middle"),
          .zone = *rc::gen::element<std::string>("", "front", "rear"),
          .extra_legroom = *rc::gen::arbitrary<bool>()};
}

}  // namespace

TEST_CASE("a cabin has its rows without missing numbers, aisles and blocked seats") {
  const std::vector<Seat> seats = narrow().seats_of("economy");
  CHECK(seats.size() == 5 * 6 - 1);
  CHECK(seats.front().name == "11B");
  const auto named = [&](const std::string& name) {
    return *std::ranges::find_if(seats, [&](const Seat& seat) { return seat.name == name; });
  };
  CHECK(named("12F").window);
  CHECK(named("12D").aisle);
  CHECK_FALSE(named("12E").aisle);
  CHECK(named("12E").extra_legroom);
  CHECK_FALSE(named("14E").extra_legroom);
  CHECK(named("14A").row == named("12A").row + 1);
  CHECK_FALSE(named("14A").rear);
  CHECK(named("15A").rear);
  CHECK(narrow().seats_of("first").empty());
}

TEST_CASE("one passenger gets the first seat that is as wished") {
  CHECK(chosen(1, {}) == Names{"11B"});
  CHECK(chosen(1, {.position = "window"}) == Names{"11F"});
  CHECK(chosen(1, {.position = "aisle", .zone = "rear"}) == Names{"15C"});
  CHECK(chosen(1, {.position = "window", .extra_legroom = true}) == Names{"12A"});
  CHECK(chosen(1, {.position = "middle"}, {"11B", "11E"}) == Names{"14B"});
}

TEST_CASE("extra legroom is kept for who asks for it, until nothing else is left") {
  SeatNames taken;
  for (const Seat& seat : narrow().seats_of("economy")) {
    if (!seat.extra_legroom) taken.insert(seat.name);
  }
  CHECK(chosen(1, {}, {"11B", "11C", "11D", "11E", "11F"}) == Names{"14A"});
  CHECK(chosen(1, {}, taken) == Names{"12A"});
}

TEST_CASE("a group sits side by side, else as near as can be, else not at all") {
  CHECK(chosen(3, {}) == Names{"11D", "11E", "11F"});
  CHECK(chosen(2, {}, {"11B", "11D", "11F", "14B"}) == Names{"14D", "14E"});
  CHECK(chosen(4, {}) == Names{"11C", "11D", "11E", "11F"});
  // Across the aisle is nearer than a row apart.
  CHECK(chosen(2, {}, {"11B", "11E", "11F"}) == Names{"14A", "14B"});
  CHECK(chosen(30, {}).empty());
}

TEST_CASE("property: no other choice of seats has a lower sum") {
  const Section section{
      .cabin = "economy", .first_row = 1, .last_row = 3, .letters = "AB CD", .legroom = {2}};
  const Cabin cabin{.type = "tiny", .sections = {section}};
  CHECK(rc::check([&cabin] {
    SeatNames taken;
    for (const Seat& seat : cabin.seats_of("economy")) {
      if (*rc::gen::element(0, 1, 2, 3) == 3) taken.insert(seat.name);
    }
    const std::vector<Seat> free = free_seats(cabin.seats_of("economy"), taken);
    RC_PRE(!free.empty());
    const std::size_t count = *rc::gen::inRange<std::size_t>(1, free.size() + 1);
    const SeatPreferences wishes = any_wishes();
    const std::vector<Seat> seats = choose_seats(free, wishes, count);
    RC_ASSERT(seats.size() == count);
    const Names names = names_of(seats);
    RC_ASSERT(SeatNames(names.begin(), names.end()).size() == count);
    RC_ASSERT(cost_of(seats, wishes) == lowest_cost(free, wishes, count));
  }));
}

TEST_CASE("a cabin is drawn with what is taken, free, roomy, not sold, and its exits") {
  CHECK(conga::seating::cabin_map("LH123 on 2026-12-01", narrow(), {"11B", "12F"})
        == "LH123 on 2026-12-01, A320: 2 of 29 seats taken\n"
           "  X taken   . free   + free, extra legroom   # not sold   < > exit\n"
           "       A B C   D E F   economy\n"
           "  11   # X .   . . .\n"
           "  12 < + + +   + + X >\n"
           "  14   . . .   . . .\n"
           "  15   . . .   . . .\n"
           "  16   . . .   . . .\n");
}
