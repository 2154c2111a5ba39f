// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/matcher_tables.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_map>
#include <variant>

namespace conga::bus {
namespace {

/// How likely a kind of condition that has no key is to be satisfied; a guess, used only to order.
struct Guess {
  double operator()(const Wildcard& /*one*/) const { return 0.1; }

  double operator()(const NumericRange& /*one*/) const { return 0.3; }

  double operator()(const IgnoreCase& /*one*/) const { return 0.1; }

  double operator()(const AnythingBut& /*one*/) const { return 0.8; }

  double operator()(const Exists& one) const { return one.wanted ? 0.7 : 0.5; }

  template <class Keyed>
  double operator()(const Keyed& /*one*/) const {
    return 0.1;
  }
};

class Compiler {
public:
  MatcherTables run(std::span<const Pattern> patterns) {
    for (const Pattern& pattern : patterns) add(pattern);
    tables_.begin_of.push_back(static_cast<std::uint32_t>(tables_.parts.size()));
    tables_.rules = patterns.size();
    tables_.fields = paths_.size();
    tables_.trie = PathTrie(paths_);
    judge();
    AccessIndex::Builder builder;
    for (std::uint32_t one = 0; one < tables_.rule_of.size(); ++one) choose(one, builder);
    tables_.index = builder.build(tables_.fields);
    return std::move(tables_);
  }

private:
  void add(const Pattern& pattern) {
    std::vector<std::uint32_t> predicates;
    for (const Pattern::Field& field : pattern.fields()) predicates.push_back(predicate(field));
    for (const Pattern::Alternative& alternative : pattern.alternatives()) {
      tables_.begin_of.push_back(static_cast<std::uint32_t>(tables_.parts.size()));
      tables_.rule_of.push_back(rule_);
      for (const std::uint32_t field : alternative) tables_.parts.push_back(predicates[field]);
    }
    ++rule_;
  }

  std::uint32_t predicate(const Pattern::Field& from) {
    const auto next_field = static_cast<std::uint32_t>(paths_.size());
    const auto [field, new_field] = fields_.try_emplace(from.path, next_field);
    if (new_field) paths_.push_back(from.path);
    key_.assign(sizeof(field->second), '\0');
    std::memcpy(key_.data(), &field->second, sizeof(field->second));
    for (const Condition& one : from.any_of) one.append_key(key_);
    const auto next = static_cast<std::uint32_t>(tables_.predicates.size());
    const auto [known, is_new] = known_.try_emplace(key_, next);
    if (is_new) {
      MatcherTables::Predicate& made = tables_.predicates.emplace_back();
      made.field = field->second;
      made.any_of = from.any_of;
      made.absence = std::ranges::any_of(from.any_of,
                                         [](const Condition& one) { return one.wants_absence(); });
    }
    return known->second;
  }

  /// Counts the keys of each field and kind, then guesses each predicate's chance: the more
  /// different keys the rules name, the less likely an event has this one.
  void judge() {
    std::unordered_map<std::uint64_t, double> keys;
    const auto slot = [](const MatcherTables::Predicate& predicate, const AccessKey& key) {
      return std::uint64_t{predicate.field} << 8U | static_cast<std::uint64_t>(key.kind);
    };
    AccessKey key;
    for (const MatcherTables::Predicate& predicate : tables_.predicates) {
      for (const Condition& one : predicate.any_of) {
        if (access_key(one, key)) keys[slot(predicate, key)] += 1;
      }
    }
    for (const MatcherTables::Predicate& predicate : tables_.predicates) {
      double chance = 0;
      bool keyed = true;
      for (const Condition& one : predicate.any_of) {
        const bool has_key = access_key(one, key);
        keyed = keyed && has_key;
        chance += has_key ? 1 / (1 + keys[slot(predicate, key)]) : std::visit(Guess{}, one.kind);
      }
      chances_.push_back(chance);
      keyed_.push_back(keyed);
    }
  }

  /// What it costs to be led to an alternative by this predicate: least by a rare key.
  double access_cost(std::uint32_t predicate) const {
    if (keyed_[predicate]) return chances_[predicate];
    return (tables_.predicates[predicate].absence ? 2e6 : 1e6) + chances_[predicate];
  }

  void choose(std::uint32_t alternative, AccessIndex::Builder& builder) const {
    const auto parts = tables_.predicates_of(alternative);
    const std::uint32_t access = *std::ranges::min_element(
        parts, {}, [this](std::uint32_t part) { return access_cost(part); });
    std::uint32_t guard = AccessIndex::kNone;
    for (const std::uint32_t part : parts) {
      if (part == access) continue;
      if (guard == AccessIndex::kNone || chances_[part] < chances_[guard]) guard = part;
    }
    const MatcherTables::Predicate& predicate = tables_.predicates[access];
    if (predicate.absence) return builder.add_always(access, alternative);
    if (!keyed_[access]) return builder.add_present(predicate.field, access, alternative);
    AccessKey key;
    for (const Condition& one : predicate.any_of) {
      access_key(one, key);
      builder.add(predicate.field, key, guard, alternative);
    }
  }

  MatcherTables tables_{.trie = PathTrie({}),
                        .index = {},
                        .predicates = {},
                        .rule_of = {},
                        .begin_of = {},
                        .parts = {}};
  std::vector<std::string> paths_;
  std::unordered_map<std::string, std::uint32_t> fields_;  ///< By path.
  std::unordered_map<std::string, std::uint32_t> known_;   ///< Predicates by their key.
  std::string key_;
  std::vector<double> chances_;
  std::vector<bool> keyed_;
  std::uint32_t rule_ = 0;
};

}  // namespace

MatcherTables compile_tables(std::span<const Pattern> patterns) {
  return Compiler().run(patterns);
}

}  // namespace conga::bus
