// SPDX-License-Identifier: Apache-2.0
//
// Fact: an event in the making. A handler says only what happened; the kit adds id, cause, hops
// and time. The id is derived from the cause, so work done twice yields the same ids, and the next
// service drops the repeat.

#pragma once

#include "common/wire/event/event.h"
#include "services/contract/describe.h"

#include <cstddef>
#include <cstdint>
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

/// What facts follow from: an event, or a timer that an event has set.
struct Cause {
  Uuid id;
  std::string correlation_id;
  std::string traceparent;
  std::string key;
  std::uint32_t hops = 0;
  std::string replay_name = {};  ///< What follows from a replayed event is marked as it is.
  std::string derivation = {};   ///< Keeps the ids of a timer's facts apart from the event's own.
};

Cause cause_of(const EventView& event);

/// The `index`th event that `source` makes of `cause`: id UUIDv5(cause, "SOURCE/INDEX"), or
/// "SOURCE/DERIVATION/INDEX"; the cause's correlation id, key and traceparent, one hop more.
Event to_event(
    const Fact& fact, const Cause& cause, std::string_view source, std::size_t index, WallTime now);

}  // namespace conga::kit
