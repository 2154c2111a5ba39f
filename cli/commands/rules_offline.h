// SPDX-License-Identifier: Apache-2.0
//
// `conga rules check`, `test`, `flow`, `lint` and `diff`: what needs no bus.

#pragma once

#include "cli/commands/rules.h"
#include "cli/exit_code.h"
#include "cli/line_source.h"
#include "cli/screen.h"

#include <string>
#include <string_view>

namespace conga::cli {

/// Prints every fault of every file: exit code 1.
ExitCode check_files(const RulesOptions& options, Screen& screen, Look look);

/// One line of a cases file: `true`, `false` or `invalid: REASON`.
std::string judge_case(std::string_view line, bool explain = false);

/// Judges every line, in order; blank ones are skipped.
ExitCode test_cases(LineSource& lines, Screen& screen, bool explain = false);

ExitCode test_one(const std::string& pattern,
                  const std::string& event,
                  Screen& screen,
                  Look look,
                  bool explain = false);

/// Check, Test, Flow, Lint and Diff.
ExitCode run_offline(const RulesOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
