// SPDX-License-Identifier: Apache-2.0

#include "services/kit/fact.h"

#include <utility>

namespace conga::kit {

Cause cause_of(const EventView& event) {
  return {.id = event.id,
          .correlation_id = std::string(event.correlation_id),
          .traceparent = std::string(event.traceparent),
          .key = std::string(event.key),
          .hops = event.hops,
          .replay_name = std::string(event.replay_name)};
}

Event to_event(const Fact& fact,
               const Cause& cause,
               std::string_view source,
               std::size_t index,
               WallTime now) {
  std::string name = std::string(source) + "/";
  if (!cause.derivation.empty()) name += cause.derivation + "/";
  name += std::to_string(index);
  Event event;
  event.id = Uuid::v5(cause.id, name);
  event.source = source;
  event.detail_type = fact.type;
  event.time = now;
  event.detail = fact.detail;
  event.correlation_id = fact.correlation_id.empty() ? cause.correlation_id : fact.correlation_id;
  event.causation_id = cause.id;
  event.hops = cause.hops + 1;
  event.traceparent = cause.traceparent;
  event.key = cause.key;
  event.replay_name = cause.replay_name;
  return event;
}

}  // namespace conga::kit
