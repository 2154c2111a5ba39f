// SPDX-License-Identifier: Apache-2.0
//
// open_bus(): the Node that conga-bus runs, put together as its configuration says.

#pragma once

#include "bus/bus_config.h"
#include "bus/rules/rule_set.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/core/result.h"
#include "common/log/log.h"
#include "common/runtime/node.h"

#include <memory>

namespace conga::bus {

/// What the Node takes from main(); all must outlive it.
struct BusSurroundings {
  Random& random;
  Log& log;
};

/// The rules file of `config`.
Result<RuleSet> load_rules(const BusConfig& config);

/// `rules` are those to begin with; a reload reads the file again.
Result<std::unique_ptr<Node>> open_bus(const BusConfig& config,
                                       RuleSet rules,
                                       const BusSurroundings& surroundings);

}  // namespace conga::bus
