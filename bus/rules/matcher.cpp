// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/matcher.h"

#include "bus/rules/array_choice.h"
#include "bus/rules/event_fields.h"
#include "bus/rules/matcher_tables.h"

#include <algorithm>

namespace conga::bus {

struct Matcher::Tables : MatcherTables {};

struct Matcher::Scratch::State {
  EventFields event;
  ArrayChoice choice;
  std::vector<std::uint32_t> answers;       ///< By predicate: turn * 4 + what was found.
  std::vector<std::uint32_t> alternatives;  ///< By alternative: the turn it was looked at.
  std::vector<std::uint32_t> rules;         ///< By rule: the turn it matched.
  std::uint32_t turn = 0;
};

namespace {

/// Answers keep two bits for what was found.
constexpr std::uint32_t kLastTurn = ~std::uint32_t{0} >> 2U;

/// Whether an event satisfies a predicate, taken by itself.
enum class Answer : std::uint8_t {
  No,
  Yes,
  Unless,  ///< Only if other fields choose array elements in which there is no value.
};

Answer ask(const EventFields& event, const MatcherTables::Predicate& predicate) {
  const EventFields::Field* const field = event.find(predicate.field);
  if (field == nullptr) return predicate.absence ? Answer::Yes : Answer::No;
  for (const EventFields::Found& found : field->values) {
    for (const Condition& one : predicate.any_of) {
      if (one.satisfied_by(found.value)) return Answer::Yes;
    }
  }
  const bool avoidable = predicate.absence && field->in_arrays == field->values.size();
  return avoidable ? Answer::Unless : Answer::No;
}

}  // namespace

/// One event's way through the tables.
class Matcher::Run {
public:
  Run(const MatcherTables& tables, Scratch::State& state, std::vector<RuleIndex>& matches)
      : tables_(tables), state_(state), matches_(matches) {}

  void event(const Value& event) {
    next_turn();
    state_.event.read(event, tables_.trie, tables_.fields);
    for (const EventFields::Field& field : state_.event.present()) {
      groups(tables_.index.present(field.field));
      for (const EventFields::Found& found : field.values) {
        tables_.index.probe(
            field.field, found.value, [this](auto found_groups) { groups(found_groups); });
      }
    }
    groups(tables_.index.always());
    std::ranges::sort(matches_);
  }

private:
  void next_turn() {
    const auto grow = [](std::vector<std::uint32_t>& marks, std::size_t size) {
      if (marks.size() < size) marks.resize(size);
    };
    grow(state_.answers, tables_.predicates.size());
    grow(state_.alternatives, tables_.rule_of.size());
    grow(state_.rules, tables_.rules);
    if (++state_.turn <= kLastTurn) return;
    for (auto* const marks : {&state_.answers, &state_.alternatives, &state_.rules}) {
      std::ranges::fill(*marks, 0);
    }
    state_.turn = 1;
  }

  void groups(std::span<const AccessIndex::Group> groups) {
    for (const AccessIndex::Group& group : groups) {
      if (group.guard != AccessIndex::kNone && answer(group.guard) == Answer::No) continue;
      for (const std::uint32_t alternative : tables_.index.alternatives(group))
        try_one(alternative);
    }
  }

  Answer answer(std::uint32_t predicate) {
    std::uint32_t& known = state_.answers[predicate];
    if (known >> 2U != state_.turn) {
      const Answer found = ask(state_.event, tables_.predicates[predicate]);
      known = state_.turn << 2U | static_cast<std::uint32_t>(found);
    }
    return static_cast<Answer>(known & 3U);
  }

  void try_one(std::uint32_t alternative) {
    if (state_.alternatives[alternative] == state_.turn) return;
    state_.alternatives[alternative] = state_.turn;
    const std::uint32_t rule = tables_.rule_of[alternative];
    if (state_.rules[rule] == state_.turn || !satisfied(alternative)) return;
    state_.rules[rule] = state_.turn;
    matches_.push_back(rule);
  }

  bool satisfied(std::uint32_t alternative) {
    bool unless = false;
    for (const std::uint32_t predicate : tables_.predicates_of(alternative)) {
      const Answer found = answer(predicate);
      if (found == Answer::No) return false;
      unless = unless || found == Answer::Unless;
    }
    std::size_t in_arrays = 0;
    for (const std::uint32_t predicate : tables_.predicates_of(alternative)) {
      const EventFields::Field* const field = field_of(predicate);
      if (field != nullptr && field->in_arrays > 0) ++in_arrays;
    }
    // A field alone has no one to agree with, and no one to choose an element without its value.
    return in_arrays > 1 ? together(alternative) : !unless;
  }

  bool together(std::uint32_t alternative) {
    state_.choice.begin(state_.event);
    for (const std::uint32_t predicate : tables_.predicates_of(alternative)) {
      const EventFields::Field* const field = field_of(predicate);
      if (field == nullptr || field->in_arrays == 0) continue;
      state_.choice.add(*field, tables_.predicates[predicate].any_of);
    }
    return state_.choice.possible();
  }

  const EventFields::Field* field_of(std::uint32_t predicate) const {
    return state_.event.find(tables_.predicates[predicate].field);
  }

  const MatcherTables& tables_;
  Scratch::State& state_;
  std::vector<RuleIndex>& matches_;
};

Matcher::Scratch::Scratch() : state_(std::make_unique<State>()) {}

Matcher::Scratch::Scratch(Scratch&&) noexcept = default;
Matcher::Scratch& Matcher::Scratch::operator=(Scratch&&) noexcept = default;
Matcher::Scratch::~Scratch() = default;

Matcher::Matcher(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}

Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Matcher Matcher::compile(std::span<const Pattern> patterns) {
  return Matcher(std::make_unique<const Tables>(Tables{compile_tables(patterns)}));
}

void Matcher::match(const Value& event, Scratch& scratch, std::vector<RuleIndex>& matches) const {
  matches.clear();
  Run(*tables_, *scratch.state_, matches).event(event);
}

}  // namespace conga::bus
