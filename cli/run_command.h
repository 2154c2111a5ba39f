// SPDX-License-Identifier: Apache-2.0
//
// run_command: from arguments to an exit code: makes the command and drives it against the bus.

#pragma once

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/random.h"

namespace conga::cli {

/// Blocks until the command has ended.
ExitCode run_command(const Arguments& arguments, Random& random, Screen& screen, const Look& look);

}  // namespace conga::cli
