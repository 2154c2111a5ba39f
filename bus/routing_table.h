// SPDX-License-Identifier: Apache-2.0
//
// RoutingTable: one generation of the rules in the form that routing needs: from an event to the
// positions of its durable targets in the link's table and the topics it is republished on.

#pragma once

#include "bus/sidecar/link.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace conga::bus {

/// A rule without its pattern's inner workings.
struct RoutingRule {
  std::string name;
  std::string description;
  std::string pattern;               ///< As msgpack, for `rules.list`.
  std::vector<LinkTarget> services;  ///< At least once.
  std::vector<std::string> topics;   ///< At most once.
};

/// The rules of one load. `match` appends the positions in `rules` of those that the event
/// satisfies, in ascending order.
struct Routing {
  std::vector<RoutingRule> rules;
  std::function<void(const Value& event, std::vector<std::size_t>& matched)> match;
};

/// Reads the rules anew; an error names every fault with file:line:column.
using RulesLoader = std::function<Result<Routing>()>;

/// Where one event goes. Kept between events for its memory.
struct Route {
  std::vector<std::size_t> rules;
  std::vector<std::uint32_t> targets;  ///< Positions in the link's table.
  std::vector<std::uint32_t> topics;   ///< Positions in RoutingTable::topics(), each once.
};

class RoutingTable {
public:
  /// `generation` counts the loads of this process from 1.
  RoutingTable(Routing routing, std::uint64_t generation);

  std::uint64_t generation() const { return generation_; }

  const std::vector<RoutingRule>& rules() const { return routing_.rules; }

  const std::vector<LinkTarget>& targets() const { return targets_; }

  /// Topics in full: `topic/NAME`.
  const std::vector<std::string>& topics() const { return topics_; }

  /// Events that matched each rule since it was loaded.
  std::span<const std::uint64_t> matches() const { return matches_; }

  /// Fills `route`, and counts the matches.
  void route(const Value& event, Route& route);

private:
  struct RuleTargets {
    std::vector<std::uint32_t> targets;
    std::vector<std::uint32_t> topics;
  };

  std::uint32_t intern_topic(const std::string& name);

  Routing routing_;
  std::uint64_t generation_;
  std::vector<LinkTarget> targets_;
  std::vector<std::string> topics_;
  std::vector<RuleTargets> of_rule_;
  std::vector<std::uint64_t> matches_;
};

}  // namespace conga::bus
