// SPDX-License-Identifier: Apache-2.0

#include "services/seating/seat_choice.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace conga::seating {
namespace {

using contract::SeatPreferences;

constexpr std::uint32_t kStep = 10;
constexpr std::uint32_t kStepsOfRow = 3;
constexpr std::uint32_t kWrongPosition = 4;
constexpr std::uint32_t kNoLegroom = 3;
constexpr std::uint32_t kWrongZone = 2;
constexpr std::uint32_t kWastedLegroom = 1;

std::uint32_t distance(std::uint32_t one, std::uint32_t other) {
  return one > other ? one - other : other - one;
}

bool is_at(const Seat& seat, std::string_view position) {
  if (position == "window") return seat.window;
  if (position == "aisle") return seat.aisle;
  return !seat.window && !seat.aisle;
}

std::uint32_t wish_cost(const Seat& seat, const SeatPreferences& wishes) {
  std::uint32_t cost = 0;
  if (!wishes.position.empty() && !is_at(seat, wishes.position)) cost += kWrongPosition;
  if (!wishes.zone.empty() && seat.rear != (wishes.zone == "rear")) cost += kWrongZone;
  if (wishes.extra_legroom && !seat.extra_legroom) cost += kNoLegroom;
  if (!wishes.extra_legroom && seat.extra_legroom) cost += kWastedLegroom;
  return cost;
}

std::uint32_t row_cost(const Seat& from, const Seat& to) {
  return kStep * kStepsOfRow * distance(from.row, to.row);
}

std::uint32_t way_cost(const Seat& from, const Seat& to) {
  return row_cost(from, to) + kStep * distance(from.column, to.column);
}

/// A seat, and what it adds to the sum of the seat it is counted from.
using Priced = std::pair<std::uint32_t, std::size_t>;

/// The cheapest seats around one, itself not among them.
class Neighbours {
public:
  explicit Neighbours(std::size_t count) : count_(count) {}

  /// No seat that costs as much can be among them.
  bool is_beyond(std::uint32_t cost) const {
    return priced_.size() == count_ && (count_ == 0 || cost > priced_.back().first);
  }

  void consider(Priced seat) {
    priced_.insert(std::ranges::upper_bound(priced_, seat), seat);
    if (priced_.size() > count_) priced_.pop_back();
  }

  std::uint32_t sum() const {
    std::uint32_t sum = 0;
    for (const Priced& seat : priced_) sum += seat.first;
    return sum;
  }

  const std::vector<Priced>& seats() const { return priced_; }

private:
  std::size_t count_;
  std::vector<Priced> priced_;  ///< Cheapest first.
};

/// Rows are looked at from the nearest: one whose way alone costs too much ends it.
Neighbours around(const std::vector<Seat>& free,
                  const std::vector<std::uint32_t>& wish_costs,
                  std::size_t centre,
                  std::size_t count) {
  Neighbours found(count);
  const auto consider = [&](std::size_t at) {
    found.consider({way_cost(free[centre], free[at]) + wish_costs[at], at});
  };
  for (std::size_t at = centre; at-- > 0;) {
    if (found.is_beyond(row_cost(free[centre], free[at]))) break;
    consider(at);
  }
  for (std::size_t at = centre + 1; at < free.size(); ++at) {
    if (found.is_beyond(row_cost(free[centre], free[at]))) break;
    consider(at);
  }
  return found;
}

}  // namespace

std::vector<Seat> free_seats(std::vector<Seat> seats, const SeatNames& taken) {
  std::erase_if(seats, [&taken](const Seat& seat) { return taken.contains(seat.name); });
  return seats;
}

std::uint32_t cost_of(const std::vector<Seat>& seats, const SeatPreferences& wishes) {
  std::uint32_t nearest = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t wished = 0;
  for (const Seat& centre : seats) {
    std::uint32_t ways = 0;
    for (const Seat& seat : seats) ways += way_cost(centre, seat);
    nearest = std::min(nearest, ways);
    wished += wish_cost(centre, wishes);
  }
  return nearest + wished;
}

std::vector<Seat> choose_seats(const std::vector<Seat>& free,
                               const SeatPreferences& wishes,
                               std::size_t count) {
  if (free.size() < count) return {};
  std::vector<std::uint32_t> wish_costs;
  wish_costs.reserve(free.size());
  for (const Seat& seat : free) wish_costs.push_back(wish_cost(seat, wishes));
  std::uint32_t lowest = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::size_t> chosen;
  for (std::size_t centre = 0; centre < free.size(); ++centre) {
    const Neighbours neighbours = around(free, wish_costs, centre, count - 1);
    const std::uint32_t cost = wish_costs[centre] + neighbours.sum();
    if (cost >= lowest) continue;
    lowest = cost;
    chosen = {centre};
    for (const Priced& seat : neighbours.seats()) chosen.push_back(seat.second);
  }
  std::ranges::sort(chosen);
  std::vector<Seat> seats;
  seats.reserve(chosen.size());
  for (const std::size_t at : chosen) seats.push_back(free[at]);
  return seats;
}

}  // namespace conga::seating
