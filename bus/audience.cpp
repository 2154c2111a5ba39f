// SPDX-License-Identifier: Apache-2.0

#include "bus/audience.h"

#include <algorithm>

namespace conga::bus {
namespace {

bool is_tap(std::string_view subscription) {
  const auto related = [&](std::string_view kind) {
    return subscription.starts_with(kind) || kind.starts_with(subscription);
  };
  return related("event/") || related("topic/");
}

}  // namespace

void Audience::set(std::string_view topic, bool present) {
  if (!present) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    topics_.erase(found);
    std::erase(taps_, topic);
    return;
  }
  if (!topics_.emplace(topic).second) return;
  if (is_tap(topic)) taps_.emplace_back(topic);
}

bool Audience::overhears(std::string_view topic) const {
  return std::ranges::any_of(taps_, [&](const std::string& tap) { return topic.starts_with(tap); });
}

}  // namespace conga::bus
