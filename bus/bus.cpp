// SPDX-License-Identifier: Apache-2.0

#include "bus/bus.h"

#include "bus/forwarder.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

Result<RuleSet> load_rules(const BusConfig& config) {
  return RuleSet::load({&config.rules, 1});
}

Result<std::unique_ptr<Node>> open_bus(const BusConfig& config,
                                       RuleSet rules,
                                       const BusSurroundings& surroundings) {
  ForwarderOptions options = config.forwarder;
  options.boot = std::max<std::uint64_t>(1, surroundings.random.bits());
  return std::make_unique<Forwarder>(
      std::move(options),
      std::move(rules),
      [config] { return load_rules(config); },
      surroundings.log);
}

}  // namespace conga::bus
