// SPDX-License-Identifier: Apache-2.0
//
// `conga rules`: checks rule files and tries patterns without a bus; lists and reloads a bus's
// rules.

#pragma once

#include "cli/bus_command.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::cli {

struct RulesOptions {
  enum class Action : std::uint8_t { Check, List, Test, Reload };

  Action action = Action::List;
  std::vector<std::string> files;  ///< Check.
  std::string pattern;             ///< Test: JSON or `@file`; so the next.
  std::string event;
  std::string cases;  ///< Test: a file of JSON lines, or `-`.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const RulesOptions& options);

}  // namespace conga::cli
