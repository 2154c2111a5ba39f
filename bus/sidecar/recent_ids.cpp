// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/recent_ids.h"

namespace conga::bus {
namespace {

constexpr std::size_t kFirstPlaces = 1024;

}  // namespace

RecentIds::RecentIds(RecentIdsOptions options)
    : options_(options), tags_(kFirstPlaces), numbers_(kFirstPlaces) {}

bool RecentIds::insert(const Uuid& id, SteadyTime when) {
  if (contains(id)) return false;
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
  if ((entries_.size() + 1) * 2 > tags_.size()) grow();
  const auto number = first_ + static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({.id = id, .second = second});
  put(id.hash(), number);
  return true;
}

bool RecentIds::contains(const Uuid& id) const {
  return tags_[find(id)] != 0;
}

RecentIds::Tag RecentIds::tag_of(std::uint64_t hash) {
  constexpr unsigned kTop = 56;  // The place comes from the low bits.
  return static_cast<Tag>(hash >> kTop | 1U);
}

std::size_t RecentIds::place_of(std::uint64_t hash) const {
  return hash & (tags_.size() - 1);
}

/// Where the id is, or the empty place where it would go.
std::size_t RecentIds::find(const Uuid& id) const {
  const std::uint64_t hash = id.hash();
  const Tag tag = tag_of(hash);
  std::size_t at = place_of(hash);
  while (tags_[at] != 0 && (tags_[at] != tag || entry_at(at).id != id)) {
    at = (at + 1) & (tags_.size() - 1);
  }
  return at;
}

const RecentIds::Entry& RecentIds::entry_at(std::size_t place) const {
  return entries_[numbers_[place] - first_];
}

void RecentIds::put(std::uint64_t hash, std::uint32_t number) {
  std::size_t at = place_of(hash);
  while (tags_[at] != 0) at = (at + 1) & (tags_.size() - 1);
  tags_[at] = tag_of(hash);
  numbers_[at] = number;
}

/// Empties its place and moves up those that were pushed past it, so that no search stops early.
void RecentIds::forget_oldest() {
  const std::size_t mask = tags_.size() - 1;
  std::size_t hole = find(entries_.front().id);
  for (std::size_t at = (hole + 1) & mask; tags_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = place_of(entry_at(at).id.hash());
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    tags_[hole] = tags_[at];
    numbers_[hole] = numbers_[at];
    hole = at;
  }
  tags_[hole] = 0;
  entries_.pop_front();
  ++first_;
}

/// By so much that what is put anew, and misses the caches, is a third of all ids and not all.
void RecentIds::grow() {
  tags_.assign(tags_.size() * 4, 0);
  numbers_.assign(tags_.size(), 0);
  std::uint32_t number = first_;
  for (const Entry& entry : entries_) put(entry.id.hash(), number++);
}

}  // namespace conga::bus
