// SPDX-License-Identifier: Apache-2.0
//
// Fact: an event in the making. A handler says only what happened; the kit adds id, cause, hops
// and time. The id is derived from the cause, so work done twice yields the same ids, and the next
// service drops the repeat.

#pragma once

#include "common/wire/event/event.h"
#include "services/contract/describe.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace conga::kit {

struct Fact {
  std::string type;                 ///< The detail-type.
  std::string detail;               ///< One msgpack map.
  std::string correlation_id = {};  ///< Of the flow that begins here; empty: the cause's.
};

using Facts = std::vector<Fact>;

/// A Fact of one of the contract's structs.
template <class T>
Fact fact(const T& event) {
  return {
      .type = std::string(T::kType), .detail = contract::to_detail(event), .correlation_id = {}};
}

/// The `index`th event that `service` makes of `cause`: id UUIDv5(cause, "SERVICE/INDEX"), the
/// cause's correlation id, key and traceparent, one hop more.
Event to_event(const Fact& fact,
               const EventView& cause,
               std::string_view source,
               std::size_t index,
               WallTime now);

}  // namespace conga::kit
