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

/// How likely a kind of condition is to be satisfied of which more rules say nothing; a guess, used
/// only to order.
struct Guess {
  double operator()(const NumericRange& /*one*/) const { return 0.3; }

  double operator()(const AnythingBut& /*one*/) const { return 0.8; }

  double operator()(const Exists& one) const { return one.wanted ? 0.7 : 0.5; }

  template <class Rare>
  double operator()(const Rare& /*one*/) const {
    return 0.1;
  }
};

/// So many conditions of a field may be asked one by one.
constexpr std::size_t kFewKeys = 32;

/// Of more alternatives than this so many ask that one lookup is less.
constexpr std::size_t kFewAlternatives = 8192;

class Compiler {
  using Term = MatcherTables::Term;

public:
  MatcherTables run(std::span<const Pattern> patterns) {
    for (const Pattern& pattern : patterns) add(pattern);
    tables_.begin_of.push_back(static_cast<std::uint32_t>(tables_.parts.size()));
    tables_.rules = patterns.size();
    tables_.fields = paths_.size();
    tables_.trie = PathTrie(paths_);
    judge();
    for (std::uint32_t one = 0; one < tables_.rule_of.size(); ++one) choose(one);
    for (std::uint32_t one = 0; one < tables_.predicates.size(); ++one) name(one);
    for (std::uint32_t one = 0; one < tables_.rule_of.size(); ++one) post(one);
    tables_.index = builder_.build(tables_.fields);
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
    indexed_.resize(paths_.size(), tables_.rule_of.size() > kFewAlternatives);
    std::vector<std::size_t> keys_of(paths_.size());
    std::unordered_map<std::uint64_t, double> keys;
    const auto slot = [](const MatcherTables::Predicate& predicate, const AccessKey& key) {
      return std::uint64_t{predicate.field} << 8U | static_cast<std::uint64_t>(key.kind);
    };
    AccessKey key;
    for (const MatcherTables::Predicate& predicate : tables_.predicates) {
      for (const Condition& one : predicate.any_of) {
        if (!access_key(one, key)) continue;
        keys[slot(predicate, key)] += 1;
        if (++keys_of[predicate.field] > kFewKeys) indexed_[predicate.field] = true;
      }
    }
    for (const MatcherTables::Predicate& predicate : tables_.predicates) {
      double chance = 0;
      bool keyed = true;
      for (const Condition& one : predicate.any_of) {
        const bool has_key = access_key(one, key);
        keyed = keyed && has_key;
        chance += has_key && key.kind != KeyKind::Range ? 1 / (1 + keys[slot(predicate, key)])
                                                        : std::visit(Guess{}, one.kind);
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

  void choose(std::uint32_t alternative) {
    const auto parts = tables_.predicates_of(alternative);
    const std::uint32_t access = *std::ranges::min_element(
        parts, {}, [this](std::uint32_t part) { return access_cost(part); });
    access_.push_back(access);
    if (keyed_[access]) indexed_[tables_.predicates[access].field] = true;
  }

  /// Finds the keys of a predicate. None for a range, which is asked when it matters: a number may
  /// be in most of a thousand ranges. And none in a field that leads to nothing and has few keys:
  /// asking those that matter is less than looking up the value of every event.
  void name(std::uint32_t position) {
    MatcherTables::Predicate& predicate = tables_.predicates[position];
    AccessKey name;
    for (std::uint32_t at = 0; at < predicate.any_of.size(); ++at) {
      const Condition& one = predicate.any_of[at];
      if (indexed_[predicate.field] && access_key(one, name) && name.kind != KeyKind::Range) {
        predicate.keys.push_back(builder_.key(predicate.field, name, one));
      } else {
        predicate.others.push_back(at);
      }
    }
    const bool one_key = predicate.any_of.size() == 1 && predicate.keys.size() == 1;
    terms_.push_back(one_key ? Term::key(predicate.keys.front()) : Term::predicate(position));
  }

  void post(std::uint32_t alternative) {
    const auto parts = tables_.predicates_of(alternative);
    const std::uint32_t access = access_[alternative];
    const MatcherTables::Predicate& predicate = tables_.predicates[access];
    AccessIndex::Builder::Posting posting = want(parts, access);
    posting.alternative = alternative;
    posting.rule = tables_.rule_of[alternative];
    if (predicate.absence || !keyed_[access]) {
      // A predicate without a key is asked before the rest of its alternative.
      if (posting.guard != AccessIndex::kNone) posting.wants.push_back(posting.guard);
      posting.guard = terms_[access].bits();
      if (predicate.absence) posting.wants.push_back(posting.guard);
      return predicate.absence ? builder_.add_always(std::move(posting))
                               : builder_.add_present(predicate.field, std::move(posting));
    }
    AccessKey name;
    for (const Condition& one : predicate.any_of) {
      access_key(one, name);
      builder_.add(builder_.key(predicate.field, name, one), posting);
    }
  }

  /// What an alternative wants apart from `access`: the rarest is the guard, then the next rarest
  /// first. A guard that array elements may avoid must be asked once more in the end.
  AccessIndex::Builder::Posting want(std::span<const std::uint32_t> parts,
                                     std::uint32_t access) const {
    std::vector<std::uint32_t> rest;
    for (const std::uint32_t part : parts) {
      if (part != access) rest.push_back(part);
    }
    std::ranges::sort(rest, {}, [this](std::uint32_t part) { return chances_[part]; });
    AccessIndex::Builder::Posting posting;
    for (const std::uint32_t part : rest) {
      const bool guard = posting.guard == AccessIndex::kNone;
      if (guard) posting.guard = terms_[part].bits();
      if (!guard || tables_.predicates[part].absence) posting.wants.push_back(terms_[part].bits());
    }
    return posting;
  }

  MatcherTables tables_{.trie = PathTrie({}),
                        .index = {},
                        .predicates = {},
                        .rule_of = {},
                        .begin_of = {},
                        .parts = {}};
  AccessIndex::Builder builder_;
  std::vector<std::string> paths_;
  std::unordered_map<std::string, std::uint32_t> fields_;  ///< By path.
  std::unordered_map<std::string, std::uint32_t> known_;   ///< Predicates by their key.
  std::string key_;
  std::vector<Term> terms_;  ///< By predicate.
  std::vector<double> chances_;
  std::vector<bool> keyed_;            ///< By predicate: it may lead to its alternatives.
  std::vector<bool> indexed_;          ///< By field: its values are looked up in every event.
  std::vector<std::uint32_t> access_;  ///< By alternative: the predicate that leads to it.
  std::uint32_t rule_ = 0;
};

}  // namespace

MatcherTables compile_tables(std::span<const Pattern> patterns) {
  return Compiler().run(patterns);
}

}  // namespace conga::bus
