// SPDX-License-Identifier: Apache-2.0

#include "bus/routing_table.h"

#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

RoutingTable::RoutingTable(Routing routing, std::uint64_t generation)
    : routing_(std::move(routing)), generation_(generation), matches_(routing_.rules.size()) {
  for (const RoutingRule& rule : routing_.rules) {
    RuleTargets& of_rule = of_rule_.emplace_back();
    for (const LinkTarget& target : rule.services) {
      of_rule.targets.push_back(static_cast<std::uint32_t>(targets_.size()));
      targets_.push_back(target);
    }
    for (const std::string& name : rule.topics) of_rule.topics.push_back(intern_topic(name));
  }
}

std::uint32_t RoutingTable::intern_topic(const std::string& name) {
  std::string topic = routed_topic(name);
  const auto found = std::ranges::find(topics_, topic);
  const auto position = static_cast<std::uint32_t>(found - topics_.begin());
  if (found == topics_.end()) topics_.push_back(std::move(topic));
  return position;
}

void RoutingTable::route(const Value& event, Route& route) {
  route.rules.clear();
  route.targets.clear();
  route.topics.clear();
  routing_.match(event, route.rules);
  for (const std::size_t rule : route.rules) {
    ++matches_[rule];
    const RuleTargets& of_rule = of_rule_[rule];
    route.targets.insert(route.targets.end(), of_rule.targets.begin(), of_rule.targets.end());
    for (const std::uint32_t topic : of_rule.topics) {
      if (std::ranges::find(route.topics, topic) == route.topics.end()) {
        route.topics.push_back(topic);
      }
    }
  }
}

}  // namespace conga::bus
