// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/recent_ids.h"

#include <utility>

namespace conga::bus {
namespace {

constexpr unsigned kFirstBits = 10;
constexpr unsigned kMarkBits = 32;

/// So many entries before an old one's turn to be forgotten its place is fetched from memory.
constexpr std::size_t kAhead = 16;

}  // namespace

RecentIds::RecentIds(RecentIdsOptions options)
    : options_(options), places_(std::size_t{1} << kFirstBits), shift_(kMarkBits - kFirstBits) {}

bool RecentIds::insert(const Uuid& id, SteadyTime when) {
  if (contains(id)) return false;
  add(id, when);
  return true;
}

void RecentIds::add(const Uuid& id, SteadyTime when) {
  if (!has_base_) base_ = when;
  has_base_ = true;
  const auto second = static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(when - base_).count());
  // Two at most for each that comes: enough to catch up, and no pause.
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(options_.window).count();
  for (int count = 0; count < 2 && entries_.size() >= options_.least; ++count) {
    const bool old = entries_.front().second + window < second;
    if (!old && entries_.size() < options_.most) break;
    forget_oldest();
  }
  if ((entries_.size() + 1) * 2 > places_.size()) grow();
  const auto number = first_ + static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({.id = id, .second = second});
  put({.mark = mark_of(id), .number = number});
}

bool RecentIds::contains(const Uuid& id) const {
  return places_[find(id)].mark != 0;
}

/// Where the id is, or the empty place where it would go.
std::size_t RecentIds::find(const Uuid& id) const {
  const Mark mark = mark_of(id);
  std::size_t at = home_of(mark);
  while (places_[at].mark != 0) {
    const bool same = places_[at].mark == mark && entries_[places_[at].number - first_].id == id;
    if (same) break;
    at = after(at);
  }
  return at;
}

void RecentIds::put(const Place& place) {
  std::size_t at = home_of(place.mark);
  while (places_[at].mark != 0) at = after(at);
  places_[at] = place;
}

/// Empties its place and moves up those that were pushed past it, so that no search stops early.
void RecentIds::forget_oldest() {
  if (entries_.size() > kAhead) prefetch(entries_[kAhead].id);
  const std::size_t mask = places_.size() - 1;
  std::size_t hole = home_of(mark_of(entries_.front().id));
  while (places_[hole].mark == 0 || places_[hole].number != first_) hole = after(hole);
  for (std::size_t at = after(hole); places_[at].mark != 0; at = after(at)) {
    const std::size_t home = home_of(places_[at].mark);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    places_[hole] = places_[at];
    hole = at;
  }
  places_[hole] = {};
  entries_.pop_front();
  ++first_;
}

/// From front to back in both: quick, however many there are.
void RecentIds::grow() {
  --shift_;
  const auto before = std::exchange(places_, std::vector<Place>(2 * places_.size()));
  for (const Place& place : before) {
    if (place.mark != 0) put(place);
  }
}

}  // namespace conga::bus
