// SPDX-License-Identifier: Apache-2.0
//
// WildcardIndex: which of many wildcards match a text? Each wildcard is filed under one gram, up to
// four bytes in a row that its texts must contain: the one that the fewest other wildcards have. A
// text is scanned once for grams that are filed, and only their wildcards are tried, each once.

#pragma once

#include "bus/rules/hash.h"
#include "bus/rules/wildcard.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::bus {

class WildcardIndex {
public:
  using Entry = std::pair<Wildcard, std::uint32_t>;  ///< A wildcard and what to call it.

  WildcardIndex() = default;
  explicit WildcardIndex(std::vector<Entry> wildcards);

  /// Calls `visit` with the name of every wildcard that matches `text`. `first_try` of a name is
  /// asked before its wildcard is tried, for the text may repeat a gram: false if it has been tried
  /// on this text.
  template <class Visit, class FirstTry>
  void find(std::string_view text, Visit& visit, FirstTry& first_try) const {
    if (entries_.empty()) return;
    try_all(bare_, text, visit, first_try);
    for (std::size_t size = 1; size <= kLongest; ++size) {
      if (!sizes_.at(size - 1)) continue;
      for (std::size_t at = 0; at + size <= text.size(); ++at) {
        const std::uint32_t gram = gram_of(text.data() + at, size);
        if (!in_filter(gram)) continue;
        try_all(filed(gram), text, visit, first_try);
      }
    }
  }

private:
  static constexpr std::size_t kLongest = 4;
  static constexpr std::size_t kFilterBits = 4096;

  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  struct Slot {
    std::uint32_t gram = 0;
    Range range;  ///< Empty: so is the slot.
  };

  /// The bytes and, as grams of different sizes must differ, the size in the bits of the hash.
  static std::uint32_t gram_of(const char* at, std::size_t size) {
    if (size == 4) return load_little<std::uint32_t>(at);
    std::uint32_t gram = 0;
    for (std::size_t index = 0; index < size; ++index) {
      gram = gram << 8U | static_cast<unsigned char>(at[index]);
    }
    return gram ^ static_cast<std::uint32_t>(size) << 29U;
  }

  static std::uint32_t hash_of(std::uint32_t gram) { return gram * 0x9E3779B1U; }

  bool in_filter(std::uint32_t gram) const {
    const std::uint32_t bit = hash_of(gram) >> 20U;
    return (filter_[bit / 64] >> bit % 64 & 1U) != 0;
  }

  Range filed(std::uint32_t gram) const;

  template <class Visit, class FirstTry>
  void try_all(const Range& range, std::string_view text, Visit& visit, FirstTry& first_try) const {
    for (std::uint32_t at = range.begin; at < range.end; ++at) {
      const auto& [wildcard, name] = entries_[at];
      if (first_try(name) && wildcard.matches(text)) visit(name);
    }
  }

  /// The rarest of the grams of `wildcard` that are as long as can be; nothing: it has none.
  static std::optional<std::pair<std::uint32_t, std::size_t>> choose(
      const Wildcard& wildcard, const std::unordered_map<std::uint32_t, std::uint32_t>& counts);

  std::vector<Entry> entries_;  ///< Grouped by gram.
  Range bare_;                  ///< Only stars: they match every text.
  std::array<bool, kLongest> sizes_{};
  std::array<std::uint64_t, kFilterBits / 64> filter_{};
  std::vector<Slot> slots_;
};

}  // namespace conga::bus
