// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/flights.h"

#include "common/core/check.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

const Flight& Flights::add(Flight flight) {
  const Slot slot = free_slot();
  const bool is_new = index_.try_emplace(flight.id, slot).second;
  CONGA_CHECK(is_new, "a delivery is in flight twice");
  if (flight.target >= lines_.size()) lines_.resize(flight.target + 1);
  Line& line = lines_[flight.target];
  Place& place = slots_[slot];
  place.flight = std::move(flight);
  place.previous = line.last;
  place.next = kNone;
  (line.last == kNone ? line.first : slots_[line.last].next) = slot;
  line.last = slot;
  ++line.size;
  return place.flight;
}

const Flight* Flights::find(DeliveryId id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : &slots_[found->second].flight;
}

Flight Flights::take(DeliveryId id) {
  const auto found = index_.find(id);
  CONGA_CHECK(found != index_.end(), "a delivery is taken back that is not in flight");
  const Slot slot = found->second;
  index_.erase(found);
  Place& place = slots_[slot];
  Line& line = lines_[place.flight.target];
  (place.previous == kNone ? line.first : slots_[place.previous].next) = place.next;
  (place.next == kNone ? line.last : slots_[place.next].previous) = place.previous;
  --line.size;
  free_.push_back(slot);
  return std::move(place.flight);
}

std::size_t Flights::count_of(std::uint32_t target) const {
  return target < lines_.size() ? lines_[target].size : 0;
}

const Flight* Flights::first_of(std::uint32_t target) const {
  return count_of(target) == 0 ? nullptr : &slots_[lines_[target].first].flight;
}

std::vector<DeliveryId> Flights::with(std::uint32_t service, std::string_view instance) const {
  std::vector<DeliveryId> found;
  for (const auto& [id, slot] : index_) {
    const Flight& flight = slots_[slot].flight;
    if (flight.service == service && flight.instance == instance) found.push_back(id);
  }
  std::ranges::sort(found);
  return found;
}

/// The one given back last: it is in the processor's cache still.
Flights::Slot Flights::free_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<Slot>(slots_.size() - 1);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  return slot;
}

}  // namespace conga::bus
