// SPDX-License-Identifier: Apache-2.0
//
// Endpoints: where the bus is, from what the command line, the environment and a bus.yaml say.

#pragma once

#include <string>
#include <string_view>

namespace conga::cli {

/// Where a client reaches what binds `endpoint`: on every interface means on this machine.
std::string connectable(std::string_view endpoint);

}  // namespace conga::cli
