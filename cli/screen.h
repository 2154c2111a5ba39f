// SPDX-License-Identifier: Apache-2.0
//
// Screen: where a command's output goes, so that tests can read it. Look: in which dress.

#pragma once

#include <cstddef>
#include <string_view>

namespace conga::cli {

/// Settled once in main(), from the options and from what standard output and error are.
struct Look {
  bool json = false;        ///< For programs: JSON on standard output, one value a line.
  bool colour = false;      ///< Standard output is a terminal that wants colours.
  bool progress = false;    ///< Standard error is a terminal: long work shows a progress bar.
  std::size_t width = 100;  ///< Columns of the terminal.
};

class Screen {
public:
  Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  virtual ~Screen() = default;

  /// Results, to standard output.
  virtual void print(std::string_view text) = 0;

  /// Everything said to the person rather than to the next program in the pipe: standard error.
  virtual void note(std::string_view text) = 0;

  /// Called once a turn.
  virtual void flush() = 0;
};

}  // namespace conga::cli
