// SPDX-License-Identifier: Apache-2.0
//
// A sidecar with its journal, dead letters and trace index on disk, for conga-sidecar and for a
// conga-bus that has it embedded.

#pragma once

#include "bus/sidecar/sidecar_config.h"
#include "bus/sidecar/sidecar_node.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/core/result.h"
#include "common/io/disk_thread.h"
#include "common/io/files.h"
#include "common/log/log.h"

#include <memory>

namespace conga::bus {

/// What does for a sidecar what takes the disk long.
struct SidecarThreads {
  std::unique_ptr<DiskThread> committer;  ///< Its descriptor is to end a poll.
  std::unique_ptr<DiskThread> filler;
};

/// For the sidecar that is opened with `config`, which the threads must outlive.
Result<SidecarThreads> start_threads(SidecarConfig& config);

/// Opens and recovers everything in the journal's directory, which is locked until the Node is
/// destroyed. The error says in one sentence what is wrong and what to do. `files`, `random` and
/// `log` must outlive the Node.
Result<std::unique_ptr<SidecarNode>> open_sidecar(
    const SidecarConfig& config, Files& files, const Time& now, Random& random, Log& log);

}  // namespace conga::bus
