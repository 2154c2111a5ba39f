// SPDX-License-Identifier: Apache-2.0
//
// routed_event(): an event as the forwarder hands it to the sidecar.

#pragma once

#include "bus/sidecar/link.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::bus::testing {

/// `event` has an `id`, and outlives what is returned.
inline RoutedEvent routed_event(std::string_view event,
                                bool loop = false,
                                std::vector<std::uint32_t> targets = {}) {
  RoutedEvent routed{.event = event, .loop = loop, .targets = std::move(targets)};
  routed.id_text = *Value::trusted(event).find("id")->string();
  routed.id = Uuid::parse(routed.id_text).value_or(Uuid());
  return routed;
}

}  // namespace conga::bus::testing
