// SPDX-License-Identifier: Apache-2.0
//
// BusConfig: what conga-bus reads from its configuration file. config/bus.yaml has every key with
// its default and what it means.

#pragma once

#include "bus/forwarder.h"
#include "common/config/config_reader.h"
#include "common/log/log.h"
#include "common/metrics/metrics_server.h"

#include <cstddef>
#include <string>

namespace conga::bus {

struct BusConfig {
  enum class Sidecar : std::uint8_t { Process, Embedded };

  std::string publish = "tcp://127.0.0.1:7461";
  std::string subscribe = "tcp://127.0.0.1:7462";
  std::string link = "ipc://var/run/link";
  std::string rules;                 ///< Path of the rules file.
  std::size_t rules_versions = 100;  ///< Of it that are kept.
  Sidecar sidecar = Sidecar::Process;
  std::string sidecar_config;  ///< Path; read if the sidecar is embedded.
  std::size_t sidecar_hand_over_size = std::size_t{256} << 10U;  ///< See NodeThreadOptions.
  Duration drain_limit = std::chrono::seconds(10);
  LogOptions log;
  MetricsOptions metrics;
  ForwarderOptions forwarder;  ///< Its boot number is not configuration.
};

/// Calls the reader for every key; faults are the reader's to keep.
void read_bus_config(ConfigReader& reader, BusConfig& config);

}  // namespace conga::bus
