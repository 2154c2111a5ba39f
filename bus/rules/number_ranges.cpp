// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/number_ranges.h"

#include <algorithm>

namespace conga::bus {

NumberRanges::NumberRanges(std::span<const Entry> ranges) {
  const auto less = [](const Number& one, const Number& other) { return one < other; };
  for (const auto& [range, name] : ranges) {
    if (range.low) points_.push_back(range.low->number);
    if (range.high) points_.push_back(range.high->number);
  }
  std::sort(points_.begin(), points_.end(), less);
  points_.erase(std::unique(points_.begin(), points_.end()), points_.end());
  leaves_ = 2 * points_.size() + 1;
  std::vector<std::pair<std::size_t, std::uint32_t>> filed;
  for (const auto& [range, name] : ranges) {
    const std::size_t first =
        range.low ? leaf_of(range.low->number) + (range.low->included ? 0 : 1) : 0;
    const std::size_t last =
        range.high ? leaf_of(range.high->number) - (range.high->included ? 0 : 1) : leaves_ - 1;
    std::size_t begin = first + leaves_;
    std::size_t end = last + 1 + leaves_;
    for (; begin < end; begin /= 2, end /= 2) {
      if (begin % 2 == 1) filed.emplace_back(begin++, name);
      if (end % 2 == 1) filed.emplace_back(--end, name);
    }
  }
  std::ranges::sort(filed);
  begin_.assign(2 * leaves_ + 1, 0);
  for (const auto& [node, name] : filed) {
    ++begin_[node + 1];
    names_.push_back(name);
  }
  for (std::size_t node = 1; node < begin_.size(); ++node) begin_[node] += begin_[node - 1];
}

std::size_t NumberRanges::leaf_of(const Number& number) const {
  const auto at = std::lower_bound(
      points_.begin(), points_.end(), number, [](const Number& one, const Number& other) {
        return one < other;
      });
  const auto position = static_cast<std::size_t>(at - points_.begin());
  return 2 * position + (at != points_.end() && *at == number ? 1 : 0);
}

}  // namespace conga::bus
