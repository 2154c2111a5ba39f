// SPDX-License-Identifier: Apache-2.0
//
// `conga chaos`: its relay stands between a test bus and its sidecar and troubles the deliveries
// until it is stopped; what came of it, chaos_compare.h tells; chaos_run.h does all in one.

#pragma once

#include "cli/chaos/relay.h"
#include "cli/commands/chaos_compare.h"
#include "cli/commands/chaos_run.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/result.h"
#include "common/io/files.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace conga::cli {

struct ChaosOptions {
  enum class Action : std::uint8_t { Run, Relay, Compare };

  Action action = Action::Relay;
  std::string listen{};   ///< The test bus's link.endpoint.
  std::string sidecar{};  ///< The sidecar's link.
  RelayOptions relay{};
  CompareOptions compare{};
  ChaosRunOptions run{};
};

/// `5%`, `0.5%`, as a share from 0 to 1.
Result<double> parse_percent(std::string_view text);

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const ChaosOptions& options);

/// Usage if an endpoint of the relay cannot be bound or connected to, or as compare_runs() or
/// run_with_chaos().
ExitCode run_chaos(Files& files, const ChaosOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
