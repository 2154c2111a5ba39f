// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/instances.h"

#include <algorithm>

namespace conga::bus {

void Instances::on_ready(SteadyTime now, std::string_view name, std::uint32_t credit) {
  if (Instance* const known = find(name)) {
    known->credit = credit;
    known->last_heard = now;
    return;
  }
  all_.push_back(
      Instance{.name = std::string(name), .credit = credit, .in_flight = 0, .last_heard = now});
}

Instance* Instances::most_free() {
  Instance* best = nullptr;
  for (Instance& instance : all_) {
    if (instance.free() > (best != nullptr ? best->free() : 0)) best = &instance;
  }
  return best;
}

Instance* Instances::find(std::string_view name) {
  const auto found = std::find_if(
      all_.begin(), all_.end(), [&](const Instance& instance) { return instance.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

bool Instances::remove(std::string_view name) {
  return std::erase_if(all_, [&](const Instance& instance) { return instance.name == name; }) > 0;
}

const Instance* Instances::silent_since(SteadyTime before) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Instance& instance) {
    return instance.last_heard <= before;
  });
  return found == all_.end() ? nullptr : &*found;
}

std::optional<SteadyTime> Instances::longest_silent() const {
  std::optional<SteadyTime> oldest;
  for (const Instance& instance : all_) {
    if (!oldest || instance.last_heard < *oldest) oldest = instance.last_heard;
  }
  return oldest;
}

}  // namespace conga::bus
