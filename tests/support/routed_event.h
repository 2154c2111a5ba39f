// SPDX-License-Identifier: Apache-2.0
//
// with_event(): an event in a `link/routed`, as the forwarder hands it to the sidecar.

#pragma once

#include "bus/sidecar/link.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::bus::testing {

/// `event` has an `id`, and outlives what is returned.
inline LinkRouted with_event(LinkRouted batch,
                             std::string_view event,
                             const std::vector<std::uint32_t>& targets = {},
                             bool loop = false) {
  RoutedEvent routed{.event = event, .loop = loop};
  routed.id_text = *Value::trusted(event).find("id")->string();
  routed.id = Uuid::parse(routed.id_text).value_or(Uuid());
  batch.add(routed, targets);
  return batch;
}

}  // namespace conga::bus::testing
