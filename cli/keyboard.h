// SPDX-License-Identifier: Apache-2.0
//
// Keyboard: keys as they are pressed, without Enter, from a terminal on standard input; and how
// large the terminal is. As it was again when it is destroyed.

#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace conga::cli {

class Keyboard {
public:
  Keyboard() = default;
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  virtual ~Keyboard() = default;

  /// What was pressed since the last call; never waits.
  virtual std::string pressed() = 0;

  struct Size {
    std::size_t width = 80;
    std::size_t height = 24;
  };

  virtual Size size() = 0;
};

/// Null if standard input or output is no terminal.
std::unique_ptr<Keyboard> open_keyboard();

}  // namespace conga::cli
