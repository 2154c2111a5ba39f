// SPDX-License-Identifier: Apache-2.0
//
// Flow: what became of one business transaction, as the bus's `trace` tells it: its events, who
// caused whom, and how each delivery went. Drawn as a tree for people.

#pragma once

#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

/// One try at a delivery. Text as the bus wrote it, made printable.
struct FlowAttempt {
  std::uint64_t number = 0;
  std::string instance{};
  std::optional<WallTime> sent{};
  std::optional<WallTime> ended{};
  std::string outcome{};
  std::string code{};
  std::string message{};
};

struct FlowDelivery {
  std::string rule{};
  std::string target{};
  std::string outcome{};  ///< `ok`, `dead-letter`, `pending`, …
  std::vector<FlowAttempt> attempts{};
};

struct FlowEvent {
  std::string id{};
  std::string source{};
  std::string detail_type{};
  std::string correlation_id{};
  std::string causation_id{};
  std::optional<WallTime> at{};  ///< When the bus took it in; by its own time if that is unknown.
  std::uint64_t sequence = 0;
  std::vector<FlowDelivery> deliveries{};
  std::vector<FlowDelivery> expectations{};  ///< By name in `rule`; ended ones are `ok`.
};

/// The events of a `trace` answer, in the order in which the bus took them in.
std::vector<FlowEvent> read_flow(const Value& answer);

/// A heading, then the events as a tree by causation, deliveries below each.
std::string draw_flow(const std::vector<FlowEvent>& events, const Look& look);

/// The same as a Mermaid sequence diagram (https://mermaid.js.org/syntax/sequenceDiagram.html): an
/// arrow for each delivery, crossed out where it became a dead letter, dashed while it is pending.
std::string mermaid_flow(const std::vector<FlowEvent>& events);

/// Whether each delivery of each event has ended.
bool is_over(const std::vector<FlowEvent>& events);

}  // namespace conga::cli
