// SPDX-License-Identifier: Apache-2.0
//
// `conga map`: the choreography that really happened, from a journal, and how it differs from the
// declared one.

#pragma once

#include "cli/exit_code.h"
#include "cli/flow_map.h"
#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/io/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

struct MapOptions {
  std::string journal{};                 ///< The sidecar's journal.directory.
  std::optional<Duration> since{};       ///< Only events of so long ago.
  std::vector<std::string> manifests{};  ///< Files that services' `--manifest` has made.
  std::vector<std::string> rules{};      ///< With --diff.
  bool diff = false;
  bool suggest = false;  ///< Expectations instead of the map.
  bool mermaid = false;
  bool dot = false;
  bool svg = false;
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const MapOptions& options);

/// Refused if a file cannot be read, or with --diff if there is a difference.
ExitCode show_map(Files& files, const MapOptions& options, WallTime now, Screen& screen, Look look);

}  // namespace conga::cli
