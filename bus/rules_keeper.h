// SPDX-License-Identifier: Apache-2.0
//
// RulesKeeper: where the Forwarder's rules come from and how they are changed. The bus reads them
// from a file and keeps versions of it; tests have them in memory.

#pragma once

#include "bus/rules/rule_set.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <future>
#include <optional>
#include <string>

namespace conga::bus {

/// Rules that are being read, perhaps by another thread; an error names every fault with
/// file:line:column.
using PendingRules = std::future<Result<RuleSet>>;

/// What is to become the rules.
struct RulesChange {
  std::string text;           ///< A rules file; unless there is a `version`.
  std::uint64_t version = 0;  ///< An earlier one, to be taken back to; 0: none.
  std::string by;             ///< Who wants it, by their own word.
  bool dry_run = false;       ///< Check it, and leave all as it is: fails with code `DryRun`.
  WallTime at;
};

class RulesKeeper {
public:
  RulesKeeper() = default;
  RulesKeeper(const RulesKeeper&) = delete;
  RulesKeeper& operator=(const RulesKeeper&) = delete;
  virtual ~RulesKeeper() = default;

  /// Begins to read the rules anew.
  virtual PendingRules load() = 0;

  /// Begins to check the change, keep it as a version, and read it. Nothing has changed if it
  /// fails: code `InvalidConfig` with every fault, or why the file cannot be written.
  virtual PendingRules change(RulesChange change) = 0;

  /// The versions as one msgpack map; with the text of `version` if that is not 0.
  virtual Result<std::string> versions(std::uint64_t version) = 0;
};

}  // namespace conga::bus
