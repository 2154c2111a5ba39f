// SPDX-License-Identifier: Apache-2.0
//
// Evaluator: decides whether one event matches one pattern in the plainest way, field by field. It
// defines what a pattern means; Matcher must agree with it and is what the bus runs. Its time and
// memory may grow with the product of the array sizes: for tests and explanations only.

#pragma once

#include "bus/rules/pattern.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <string>

namespace conga::bus {

/// `event` is a map.
bool evaluate(const Pattern& pattern, const Value& event);

/// Why `event` does not match: per alternative the first field, in the order of the language, that
/// no value satisfies, with the values found there. Says so if it does match.
std::string explain(const Pattern& pattern, const Value& event);

/// Of the alternative that is nearest to matching: how many fields no value satisfies, and how many
/// some value does.
struct Nearness {
  std::size_t missed = 0;
  std::size_t satisfied = 0;

  /// Fewer missed is nearer, then more satisfied.
  bool operator<(const Nearness& other) const {
    return missed != other.missed ? missed < other.missed : satisfied > other.satisfied;
  }
};

/// Nothing is missed if `event` matches, and also if each field is satisfied, but not by the same
/// array elements.
Nearness nearness(const Pattern& pattern, const Value& event);

}  // namespace conga::bus
