// SPDX-License-Identifier: Apache-2.0
//
// Manifest: what a service consumes and emits, with a JSON Schema for each event. The kit holds
// the service to it: an event that it does not name is rejected, and so is a fact that it does not.

#pragma once

#include "services/contract/schema.h"

#include <string>
#include <string_view>
#include <vector>

namespace conga::kit {

struct EventType {
  std::string_view name;  ///< The detail-type.
  std::string schema;     ///< JSON Schema (2020-12) of the detail.
};

/// When a service emits an event, and what that means to the flow: `conga rules lint` looks for
/// loops, and for failures after which nothing undoes what was done.
struct Consequence {
  std::string_view emits;
  std::vector<std::string_view> after;  ///< Consumed detail-types; a timer's: what set it.
  bool once = false;                    ///< At most once in a flow.
  bool failure = false;                 ///< The flow does not go on as it was meant to.
  std::string_view undone_by = {};      ///< The detail-type that takes it back, if one must.
};

struct Manifest {
  std::string_view service;  ///< The name that rules know it by.
  std::string_view source;   ///< Of the events that it emits: `aircraft.payment`.
  std::vector<EventType> consumes;
  std::vector<EventType> emits;
  std::vector<Consequence> consequences = {};  ///< Of emitted events; left out: after anything.
};

/// `event_types<PaymentConfirmed, PaymentFailed>()`
template <class... Events>
std::vector<EventType> event_types() {
  return {EventType{.name = Events::kType, .schema = contract::schema_of<Events>()}...};
}

bool names(const std::vector<EventType>& types, std::string_view name);

/// One JSON object, for tools: `conga-payment --manifest`.
std::string to_json(const Manifest& manifest);

}  // namespace conga::kit
