// SPDX-License-Identifier: Apache-2.0
//
// How a command that needs no bus says what went wrong.

#pragma once

#include "cli/exit_code.h"
#include "cli/screen.h"
#include "cli/text.h"

#include <string_view>

namespace conga::cli {

/// Tells the person `conga: WHAT`, over as many lines as it has; returns Refused.
inline ExitCode complain(Screen& screen, std::string_view what) {
  screen.note("conga: " + printable_lines(what) + "\n");
  return ExitCode::Refused;
}

}  // namespace conga::cli
