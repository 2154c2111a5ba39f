// SPDX-License-Identifier: Apache-2.0
//
// `conga chaos run`: the same events through the same services, in clean runs and in one under
// `conga chaos relay`, each with a bus of its own; then `conga chaos compare`.

#pragma once

#include "cli/chaos/relay.h"
#include "cli/commands/chaos_compare.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/io/files.h"

#include <string>
#include <vector>

namespace conga::cli {

struct ChaosRunOptions {
  std::string rules{};                  ///< The rule file.
  std::string events{};                 ///< JSON lines, as for `conga put`.
  std::vector<std::string> services{};  ///< Shell commands, one for each service.
  std::string folder{};                 ///< For journals and logs; absent or empty.
  std::string bus = "conga-bus";        ///< The programs; so the next.
  std::string sidecar = "conga-sidecar";
  Duration patience = std::chrono::minutes(5);  ///< For a run to become quiet.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const ChaosRunOptions& options);

/// As compare_runs(). Usage also if a run failed: the reason and where its logs are have been told.
ExitCode run_with_chaos(Files& files,
                        const ChaosRunOptions& options,
                        const RelayOptions& relay,
                        CompareOptions compare,
                        Screen& screen,
                        Look look);

}  // namespace conga::cli
