// SPDX-License-Identifier: Apache-2.0
//
// SidecarConfig: what a sidecar reads from its configuration file. config/sidecar.yaml has every
// key with its default and what it means.

#pragma once

#include "bus/sidecar/file_journal.h"
#include "bus/sidecar/sidecar_node.h"
#include "common/config/config_reader.h"
#include "common/log/log.h"
#include "common/metrics/metrics_server.h"

#include <string>

namespace conga::bus {

struct SidecarConfig {
  std::string link = "ipc://var/run/link";
  FileJournalOptions journal;
  std::uint32_t archive_segment_size = std::uint32_t{16} << 20U;  ///< As the journal's.
  SidecarOptions sidecar;
  Duration drain_limit = std::chrono::seconds(10);
  LogOptions log;
  MetricsOptions metrics;  ///< Not used if the sidecar is embedded: conga-bus's endpoint serves it.
};

/// Calls the reader for every key; faults are the reader's to keep.
void read_sidecar_config(ConfigReader& reader, SidecarConfig& config);

}  // namespace conga::bus
