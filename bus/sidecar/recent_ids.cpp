// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/recent_ids.h"

#include <cstring>

namespace conga::bus {
namespace {

constexpr std::size_t kFirstSlots = 1024;

/// Marks a slot as used; the other bits are the entry's number, which wraps around.
constexpr std::uint32_t kUsed = 0x8000'0000;

}  // namespace

RecentIds::RecentIds(RecentIdsOptions options) : options_(options), slots_(kFirstSlots) {}

bool RecentIds::insert(const Uuid& id, SteadyTime when) {
  const std::size_t free = find_slot(id);
  if (slots_[free] != 0) return false;
  if (!has_base_) base_ = when;
  has_base_ = true;
  const auto second = static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(when - base_).count());
  // Two at most for each that comes: enough to catch up, and no pause.
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(options_.window).count();
  bool moved = false;
  for (int count = 0; count < 2 && entries_.size() >= options_.least; ++count) {
    const bool old = entries_.front().second + window < second;
    if (!old && entries_.size() < options_.most) break;
    forget_oldest();
    moved = true;
  }
  if ((entries_.size() + 1) * 2 > slots_.size()) {
    grow();
    moved = true;
  }
  const auto number = first_ + static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({.id = id, .second = second});
  if (moved) {
    place(id, number | kUsed);
  } else {
    slots_[free] = number | kUsed;
  }
  return true;
}

bool RecentIds::contains(const Uuid& id) const {
  return slots_[find_slot(id)] != 0;
}

std::size_t RecentIds::home_of(const Uuid& id) const {
  // The halves of a version 7 id are time and chance; multiplying spreads either one upwards.
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  constexpr unsigned kHalf = 32;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, id.bytes.data(), sizeof high);
  std::memcpy(&low, id.bytes.data() + sizeof high, sizeof low);
  const std::uint64_t mixed = (high * kSpread ^ low) * kSpread;
  return (mixed ^ mixed >> kHalf) & (slots_.size() - 1);
}

/// Where the id is, or the empty place where it would go.
std::size_t RecentIds::find_slot(const Uuid& id) const {
  std::size_t at = home_of(id);
  while (slots_[at] != 0 && entry_in(at).id != id) at = (at + 1) & (slots_.size() - 1);
  return at;
}

const RecentIds::Entry& RecentIds::entry_in(std::size_t place) const {
  return entries_[(slots_[place] - first_) & ~kUsed];
}

void RecentIds::place(const Uuid& id, Slot slot) {
  std::size_t at = home_of(id);
  while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

/// Empties its slot and moves up those that were pushed past it, so that no search stops early.
void RecentIds::forget_oldest() {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = find_slot(entries_.front().id);
  for (std::size_t at = (hole + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = home_of(entry_in(at).id);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
  entries_.pop_front();
  ++first_;
}

void RecentIds::grow() {
  slots_.assign(slots_.size() * 2, 0);
  std::uint32_t number = first_;
  for (const Entry& entry : entries_) place(entry.id, number++ | kUsed);
}

}  // namespace conga::bus
