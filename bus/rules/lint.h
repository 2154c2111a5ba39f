// SPDX-License-Identifier: Apache-2.0
//
// Lint: what is wrong with a set of rules although each of them is well-formed, as far as the
// services' manifests tell.

#pragma once

#include "bus/rules/choreography.h"
#include "bus/rules/rule_set.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

struct LintFinding {
  enum class Level : std::uint8_t {
    Error,  ///< Something will not happen that was meant to, or will be refused.
    Note,   ///< It may be meant so.
  };

  Level level = Level::Error;
  std::string_view code;  ///< Such as `never-matches`; docs/cli.md lists them.
  std::string file;       ///< Of the rule or the manifest.
  std::size_t line = 0;   ///< 0: of the whole file.
  std::string what;       ///< A sentence: what is wrong.
  std::string remedy;     ///< A sentence: what to do about it.
};

/// Errors first, each level in the order of the files. `declarations`: of all services, or what is
/// missing is told as unknown.
std::vector<LintFinding> lint(const RuleSet& rules, const std::vector<Declaration>& declarations);

}  // namespace conga::bus
