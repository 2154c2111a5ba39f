// SPDX-License-Identifier: Apache-2.0
//
// Terminal: the process's own standard input, output and error. The one place that asks what they
// are connected to.

#pragma once

#include "cli/screen.h"

#include <string>
#include <string_view>

namespace conga::cli {

class TerminalScreen final : public Screen {
public:
  void print(std::string_view text) override { out_ += text; }

  /// Goes out at once, after what was printed before it.
  void note(std::string_view text) override;

  void flush() override;

private:
  std::string out_;
};

/// Colours only on a terminal that has them, and not if NO_COLOR is set (https://no-color.org);
/// a progress bar only where standard error is a terminal.
Look look_of_terminal(bool json);

bool stdin_is_terminal();

/// Asks and reads a line: true for y or yes.
bool confirm(std::string_view question);

}  // namespace conga::cli
