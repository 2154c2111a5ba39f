// SPDX-License-Identifier: Apache-2.0
//
// `conga chaos relay`: stands between a test bus and its sidecar and troubles the deliveries, until
// it is stopped.

#pragma once

#include "cli/chaos/relay.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace conga::cli {

struct ChaosOptions {
  enum class Action : std::uint8_t { Relay };

  Action action = Action::Relay;
  std::string listen{};   ///< The test bus's link.endpoint.
  std::string sidecar{};  ///< The sidecar's link.
  RelayOptions relay{};
};

/// `5%`, `0.5%`, as a share from 0 to 1.
Result<double> parse_percent(std::string_view text);

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const ChaosOptions& options);

/// Usage if an endpoint cannot be bound or connected to.
ExitCode run_chaos(const ChaosOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
