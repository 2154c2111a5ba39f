// SPDX-License-Identifier: Apache-2.0
//
// Endpoints: where the bus is, from what the command line, the environment and a bus.yaml say.

#pragma once

#include "cli/arguments.h"
#include "common/core/result.h"

#include <string>
#include <string_view>

namespace conga::cli {

struct Endpoints {
  std::string publish = "tcp://127.0.0.1:7461";
  std::string subscribe = "tcp://127.0.0.1:7462";
};

/// What `arguments` say, else what the bus.yaml that they name says, else the defaults.
Result<Endpoints> find_endpoints(const Arguments& arguments);

/// What the bus with this configuration binds, as clients reach it. Other keys are its own affair.
Result<Endpoints> read_endpoints(std::string_view yaml, const std::string& file);

/// Where a client reaches what binds `endpoint`: on every interface means on this machine.
std::string connectable(std::string_view endpoint);

}  // namespace conga::cli
