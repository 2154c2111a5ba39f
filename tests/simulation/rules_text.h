// SPDX-License-Identifier: Apache-2.0
//
// rules_text: the choreography of config/rules.yaml, with waits that a simulation can sit out and
// with patience enough that only what is hopeless becomes a dead letter.

#pragma once

#include "common/core/clock.h"

#include <string>

namespace conga::simulation {

inline constexpr Duration kAckTimeout = std::chrono::seconds(2);  ///< Of every target.

const std::string& rules_text();

}  // namespace conga::simulation
