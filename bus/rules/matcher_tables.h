// SPDX-License-Identifier: Apache-2.0
//
// MatcherTables: what a Matcher knows of its rules. Equal parts of rules are kept once, so that
// each is decided once per event. docs/adr/0003-matcher.md describes the whole.

#pragma once

#include "bus/rules/access_index.h"
#include "bus/rules/condition.h"
#include "bus/rules/path_trie.h"
#include "bus/rules/pattern.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace conga::bus {

struct MatcherTables {
  /// What a value of a field must satisfy: one of these.
  struct Predicate {
    std::uint32_t field = 0;
    bool absence = false;               ///< One of them is `exists: false`.
    std::vector<std::uint32_t> keys;    ///< Those of them that are keys of the index.
    std::vector<std::uint32_t> others;  ///< Positions in any_of of those that are not.
    std::vector<Condition> any_of;
  };

  /// What must hold, in the shortest form: most predicates are a single key.
  class Term {
  public:
    static Term key(std::uint32_t key) { return Term(key | kKeyBit); }

    static Term predicate(std::uint32_t predicate) { return Term(predicate); }

    explicit Term(std::uint32_t bits) : bits_(bits) {}

    bool is_key() const { return (bits_ & kKeyBit) != 0; }

    std::uint32_t position() const { return bits_ & ~kKeyBit; }

    std::uint32_t bits() const { return bits_; }

  private:
    static constexpr std::uint32_t kKeyBit = std::uint32_t{1} << 31U;

    std::uint32_t bits_;
  };

  std::span<const std::uint32_t> predicates_of(std::uint32_t alternative) const {
    const std::uint32_t begin = begin_of[alternative];
    return std::span(parts).subspan(begin, begin_of[alternative + 1] - begin);
  }

  PathTrie trie;
  AccessIndex index;  ///< Its guards and wants are the bits of Terms.
  std::vector<Predicate> predicates;
  std::vector<std::uint32_t> rule_of;   ///< By alternative.
  std::vector<std::uint32_t> begin_of;  ///< By alternative, and one more: where its parts begin.
  std::vector<std::uint32_t> parts;     ///< Predicates, each alternative's in the language's order.
  std::size_t fields = 0;
  std::size_t rules = 0;
};

MatcherTables compile_tables(std::span<const Pattern> patterns);

}  // namespace conga::bus
