// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/wildcard_index.h"

#include <algorithm>
#include <bit>
#include <string>
#include <tuple>

namespace conga::bus {
namespace {

/// Calls `visit` with a pointer to each gram of `wildcard` and its size.
template <class Visit>
void each_gram(const Wildcard& wildcard, std::size_t longest, Visit visit) {
  for (const std::string& part : wildcard.parts()) {
    if (part.empty()) continue;
    const std::size_t size = std::min(longest, part.size());
    for (std::size_t at = 0; at + size <= part.size(); ++at) visit(part.data() + at, size);
  }
}

}  // namespace

std::optional<std::pair<std::uint32_t, std::size_t>> WildcardIndex::choose(
    const Wildcard& wildcard, const std::unordered_map<std::uint32_t, std::uint32_t>& counts) {
  std::optional<std::pair<std::uint32_t, std::size_t>> best;
  std::uint32_t best_count = 0;
  each_gram(wildcard, kLongest, [&](const char* at, std::size_t size) {
    const std::uint32_t gram = gram_of(at, size);
    const std::uint32_t count = counts.at(gram);
    const bool better =
        !best || size > best->second || (size == best->second && count < best_count);
    if (!better) return;
    best.emplace(gram, size);
    best_count = count;
  });
  return best;
}

WildcardIndex::WildcardIndex(std::vector<Entry> wildcards) {
  std::unordered_map<std::uint32_t, std::uint32_t> counts;
  for (const auto& [wildcard, name] : wildcards) {
    each_gram(wildcard, kLongest, [&counts](const char* at, std::size_t size) {
      ++counts[gram_of(at, size)];
    });
  }
  std::vector<std::tuple<bool, std::uint32_t, std::size_t>> filed;  // With a gram, which, position.
  for (std::size_t position = 0; position < wildcards.size(); ++position) {
    const auto gram = choose(wildcards[position].first, counts);
    filed.emplace_back(gram.has_value(), gram ? gram->first : 0, position);
    if (gram) sizes_.at(gram->second - 1) = true;
  }
  std::ranges::sort(filed);
  slots_.resize(std::bit_ceil(2 * wildcards.size() + 1));
  const std::size_t mask = slots_.size() - 1;
  for (const auto& [has_gram, gram, position] : filed) {
    const auto next = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back(std::move(wildcards[position]));
    if (!has_gram) {
      bare_.end = next + 1;
      continue;
    }
    const std::uint32_t bit = hash_of(gram) >> 20U;
    filter_.at(bit / 64) |= std::uint64_t{1} << bit % 64;
    std::size_t at = hash_of(gram) & mask;
    while (slots_[at].range.end != 0 && slots_[at].gram != gram) at = (at + 1) & mask;
    if (slots_[at].range.end == 0) slots_[at] = {gram, {next, next}};
    slots_[at].range.end = next + 1;
  }
}

WildcardIndex::Range WildcardIndex::filed(std::uint32_t gram) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_of(gram) & mask;; at = (at + 1) & mask) {
    if (slots_[at].range.end == 0) return {};
    if (slots_[at].gram == gram) return slots_[at].range;
  }
}

}  // namespace conga::bus
