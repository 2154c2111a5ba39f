// SPDX-License-Identifier: Apache-2.0
//
// `conga rules lint`: what is wrong with rules that are each well-formed, as far as the services'
// manifests tell.

#pragma once

#include "cli/commands/rules.h"
#include "cli/exit_code.h"
#include "cli/screen.h"

namespace conga::cli {

/// Refused if there is an error, with --strict a note too, or if a file cannot be read.
ExitCode lint_rules(const RulesOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
