// SPDX-License-Identifier: Apache-2.0
//
// Child: a program that this one starts, watches and ends, with all that it started in turn.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conga::cli {

class Child {
public:
  struct Command {
    std::vector<std::string> argv{};  ///< The program first; looked for in PATH without a slash.
    std::vector<std::pair<std::string, std::string>> environment{};  ///< Beside our own.
    std::string output{};  ///< The file for its standard output, made anew.
    std::string errors{};  ///< That for its standard error; the same file is fine.
  };

  /// Permanent if it cannot be started.
  static Result<std::unique_ptr<Child>> start(const Command& command);

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Kills what still runs.
  ~Child();

  /// Waits for its end, at most so long, or until `interrupt` is readable. Its exit code, or 128
  /// and the signal that ended it; nothing if it runs.
  std::optional<int> wait(Duration patience, int interrupt);

  /// Asks it to end, and kills it after `patience`. Returns as wait().
  int stop(Duration patience);

private:
  Child(int process, int descriptor) : process_(process), descriptor_(descriptor) {}

  void signal(int number) const;
  std::optional<int> reap(bool block);

  int process_;     ///< Its id, and that of its process group.
  int descriptor_;  ///< Readable when it has ended.
  std::optional<int> code_;
};

}  // namespace conga::cli
