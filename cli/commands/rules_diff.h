// SPDX-License-Identifier: Apache-2.0
//
// `conga rules diff`: what other rules would have done with the events of a journal, before they
// are put to work.

#pragma once

#include "cli/commands/rules.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/io/files.h"

namespace conga::cli {

/// Done: no delivery changes. Refused: some do, or a file cannot be read.
ExitCode diff_rules(
    Files& files, const RulesOptions& options, WallTime now, Screen& screen, Look look);

}  // namespace conga::cli
