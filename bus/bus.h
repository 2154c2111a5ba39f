// SPDX-License-Identifier: Apache-2.0
//
// open_bus(): the Node that conga-bus runs, put together as its configuration says.

#pragma once

#include "bus/bus_config.h"
#include "bus/rules/rule_set.h"
#include "bus/sidecar/sidecar.h"
#include "bus/sidecar/sidecar_config.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/core/result.h"
#include "common/io/files.h"
#include "common/io/wakeup.h"
#include "common/log/log.h"
#include "common/runtime/node.h"

#include <memory>

namespace conga::bus {

/// What the configuration refers to.
struct BusFiles {
  RuleSet rules;
  SidecarConfig sidecar;  ///< Read if the sidecar is embedded.
};

/// What an embedded sidecar does not share with the forwarder, because it has a thread.
struct SidecarSurroundings {
  Wakeup news;  ///< Must end the forwarder's poll.
  SidecarThreads disk;
  Random random;
  Log log;
};

/// For the sidecar that is opened with `config`.
Result<SidecarSurroundings> surround_sidecar(SidecarConfig& config, Random& random, const Log& log);

/// What the Node takes from main(); all must outlive it.
struct BusSurroundings {
  const Clock& clock;
  Files& files;
  Random& random;
  Log& log;
  SidecarSurroundings* sidecar;  ///< Null: it is a process.
};

/// Every fault of the rules and of the sidecar's configuration, one a line.
Result<BusFiles> load_files(const BusConfig& config);

/// A reload reads the rules again. Fails as the journal does, if the sidecar is embedded.
Result<std::unique_ptr<Node>> open_bus(const BusConfig& config,
                                       BusFiles files,
                                       const BusSurroundings& surroundings);

}  // namespace conga::bus
