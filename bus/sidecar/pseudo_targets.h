// SPDX-License-Identifier: Apache-2.0
//
// Names of targets under which the journal owes what the sidecar does itself: so it survives a
// restart like every delivery. The rule's name is the expectation's or the archive's. No rule can
// have such a target: '~' is in no name.

#pragma once

#include <string_view>

namespace conga::bus {

inline constexpr std::string_view kExpectationTarget = "~expectation";  ///< Its end is awaited.
inline constexpr std::string_view kArchiveTarget = "~archive";          ///< A copy is to be made.

/// Whether it is none of a rule.
inline bool is_pseudo_target(std::string_view target) {
  return target.starts_with('~');
}

}  // namespace conga::bus
