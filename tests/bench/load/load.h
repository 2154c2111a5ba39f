// SPDX-License-Identifier: Apache-2.0
//
// Load: runs a plan with a process for each publisher and consumer, and measures.

#pragma once

#include "common/core/result.h"
#include "tests/bench/load/plan.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace conga::bench {

/// A process whose use of the machine is measured.
struct Watched {
  std::string name;
  pid_t pid = 0;
};

/// Runs the plan and returns what was measured as one line of JSON.
Result<std::string> run_load(const Plan& plan, std::vector<Watched> watched);

}  // namespace conga::bench
