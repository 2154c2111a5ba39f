// SPDX-License-Identifier: Apache-2.0
//
// NumberRanges: which of many numeric ranges hold a number? A segment tree over the ranges' bounds:
// a range is filed under O(log ranges) nodes, and a number walks one path from a leaf to the root
// and meets exactly the ranges that hold it.

#pragma once

#include "bus/rules/condition.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace conga::bus {

class NumberRanges {
public:
  using Entry = std::pair<NumericRange, std::uint32_t>;  ///< A range and what to call it.

  NumberRanges() = default;
  explicit NumberRanges(std::span<const Entry> ranges);

  /// Calls `visit` with the name of every range that holds `number`.
  template <class Visit>
  void find(const Number& number, Visit& visit) const {
    if (points_.empty() || !number.finite()) return;
    for (std::size_t node = leaf_of(number) + leaves_; node > 0; node /= 2) {
      for (std::uint32_t at = begin_[node]; at < begin_[node + 1]; ++at) visit(names_[at]);
    }
  }

private:
  /// Leaves take turns: the gap below the first bound, the bound itself, the gap above it…
  std::size_t leaf_of(const Number& number) const;

  std::vector<Number> points_;  ///< Ascending, each once.
  std::size_t leaves_ = 0;
  std::vector<std::uint32_t> begin_;  ///< By node, and one more: where its names begin.
  std::vector<std::uint32_t> names_;
};

}  // namespace conga::bus
