// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/matcher.h"

#include "bus/rules/array_choice.h"
#include "bus/rules/event_fields.h"
#include "bus/rules/matcher_tables.h"
#include "common/wire/event/json.h"
#include "common/wire/event/json_tape.h"

#include <algorithm>

namespace conga::bus {

struct Matcher::Tables : MatcherTables {};

struct Matcher::Scratch::State {
  JsonTape tape;
  EventFields event;
  ArrayChoice choice;
  std::vector<std::uint32_t> satisfied;     ///< Keys that the event satisfies.
  std::vector<std::uint32_t> keys;          ///< By key: the turn it was satisfied.
  std::vector<std::uint32_t> tries;         ///< By key: the value a wildcard was last tried on.
  std::vector<std::uint32_t> answers;       ///< By predicate: turn * 4 + what was found.
  std::vector<std::uint32_t> alternatives;  ///< By alternative: the turn its arrays were looked at.
  std::vector<std::uint32_t> rules;         ///< By rule: the turn it matched.
  std::uint32_t turn = 0;
  std::uint32_t value = 0;  ///< Counts values.
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

}  // namespace

/// One event's way through the tables.
class Matcher::Run {
  using Term = MatcherTables::Term;

public:
  Run(const MatcherTables& tables, Scratch::State& state, std::vector<RuleIndex>& matches)
      : tables_(tables), state_(state), matches_(matches) {}

  template <class Event>
  void event(const Event& event) {
    next_turn();
    state_.event.read(event, tables_.trie, tables_.fields);
    for (const EventFields::Field& field : state_.event.present()) find_keys(field);
    for (const std::uint32_t key : state_.satisfied) tables_.index.expect_groups(key);
    for (const std::uint32_t key : state_.satisfied) groups(tables_.index.groups(key));
    for (const EventFields::Field& field : state_.event.present()) {
      groups(tables_.index.present(field.field));
    }
    groups(tables_.index.always());
    if (matches_.size() > 1) std::ranges::sort(matches_);
  }

private:
  void next_turn() {
    const auto grow = [](std::vector<std::uint32_t>& marks, std::size_t size) {
      if (marks.size() < size) marks.resize(size);
    };
    grow(state_.keys, tables_.index.keys());
    grow(state_.tries, tables_.index.keys());
    grow(state_.answers, tables_.predicates.size());
    grow(state_.alternatives, tables_.rule_of.size());
    grow(state_.rules, tables_.rules);
    state_.satisfied.clear();
    if (++state_.turn <= kLastTurn) return;
    for (auto* const marks : {&state_.keys, &state_.answers, &state_.alternatives, &state_.rules}) {
      std::ranges::fill(*marks, 0);
    }
    state_.turn = 1;
  }

  void find_keys(const EventFields::Field& field) {
    const auto visit = [this](std::uint32_t key) {
      if (state_.keys[key] == state_.turn) return;
      state_.keys[key] = state_.turn;
      tables_.index.expect(key);
      state_.satisfied.push_back(key);
    };
    const auto first_try = [this](std::uint32_t key) {
      if (state_.keys[key] == state_.turn || state_.tries[key] == state_.value) return false;
      state_.tries[key] = state_.value;
      return true;
    };
    for (const EventFields::Found& found : field.values) {
      if (++state_.value == 0) {
        std::ranges::fill(state_.tries, 0);
        state_.value = 1;
      }
      tables_.index.probe(field.field, found.value, visit, first_try);
    }
  }

  void groups(std::span<const AccessIndex::Group> groups) {
    for (const AccessIndex::Group& group : groups) {
      if (group.guard != AccessIndex::kNone && answer(Term(group.guard)) == Answer::No) continue;
      for (std::uint32_t at = group.begin; at < group.end;) {
        const AccessIndex::Candidate candidate = tables_.index.candidate(at);
        if (!satisfied(candidate) || state_.rules[candidate.rule] == state_.turn) continue;
        state_.rules[candidate.rule] = state_.turn;
        matches_.push_back(candidate.rule);
      }
    }
  }

  Answer answer(Term term) {
    if (!term.is_key()) return answer(term.position());
    return state_.keys[term.position()] == state_.turn ? Answer::Yes : Answer::No;
  }

  Answer answer(std::uint32_t predicate) {
    std::uint32_t& known = state_.answers[predicate];
    if (known >> 2U != state_.turn) {
      const Answer found = ask(tables_.predicates[predicate]);
      known = state_.turn << 2U | static_cast<std::uint32_t>(found);
    }
    return static_cast<Answer>(known & 3U);
  }

  Answer ask(const MatcherTables::Predicate& predicate) const {
    for (const std::uint32_t key : predicate.keys) {
      if (state_.keys[key] == state_.turn) return Answer::Yes;
    }
    if (predicate.others.empty()) return Answer::No;
    const EventFields::Field* const field = state_.event.find(predicate.field);
    if (field == nullptr) return predicate.absence ? Answer::Yes : Answer::No;
    for (const EventFields::Found& found : field->values) {
      for (const std::uint32_t position : predicate.others) {
        if (predicate.any_of[position].satisfied_by(found.value)) return Answer::Yes;
      }
    }
    const bool avoidable = predicate.absence && field->in_arrays == field->values.size();
    return avoidable ? Answer::Unless : Answer::No;
  }

  bool satisfied(const AccessIndex::Candidate& candidate) {
    bool unless = false;
    for (const std::uint32_t term : candidate.wants) {
      const Answer found = answer(Term(term));
      if (found == Answer::No) return false;
      unless = unless || found == Answer::Unless;
    }
    if (state_.event.fields_in_arrays() < 2) return !unless;
    std::size_t in_arrays = 0;
    for (const std::uint32_t predicate : tables_.predicates_of(candidate.alternative)) {
      const EventFields::Field* const field = field_of(predicate);
      if (field != nullptr && field->in_arrays > 0) ++in_arrays;
    }
    // A field alone has no one to agree with, and no one to choose an element without its value.
    return in_arrays > 1 ? together(candidate.alternative) : !unless;
  }

  /// Once an event: several keys may lead to one alternative.
  bool together(std::uint32_t alternative) {
    if (state_.alternatives[alternative] == state_.turn) return false;
    state_.alternatives[alternative] = state_.turn;
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

Result<> Matcher::match_json(std::string_view json,
                             Scratch& scratch,
                             std::vector<RuleIndex>& matches,
                             const ValueLimits& limits) const {
  matches.clear();
  JsonTape& tape = scratch.state_->tape;
  if (!tape.read(json, limits)) {
    const auto packed = json_to_msgpack(json, limits);
    if (!packed) return packed.failure();
    const Value event = Value::trusted(*packed);
    if (!event.is_map()) return fail(Fault::Permanent, "expected an object", "Malformed");
    match(event, scratch, matches);
    return {};
  }
  const JsonCursor event = tape.root();
  if (event.kind() != JsonCursor::Kind::Map) {
    return fail(Fault::Permanent, "expected an object", "Malformed");
  }
  Run(*tables_, *scratch.state_, matches).event(event);
  return {};
}

}  // namespace conga::bus
