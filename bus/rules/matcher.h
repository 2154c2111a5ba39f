// SPDX-License-Identifier: Apache-2.0
//
// Matcher: which routing rules does an event satisfy?
//
// Patterns are compiled once into an immutable Matcher. Changed rules mean a new Matcher, swapped
// in whole, so no event is ever routed by half of the old table and half of the new one.
// docs/adr/0003-matcher.md gives its structure and its costs.

#pragma once

#include "bus/rules/pattern.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace conga::bus {

class Matcher {
public:
  /// The position of a pattern in the span given to compile().
  using RuleIndex = std::uint32_t;

  /// Working memory of match(), kept between events so that matching does not allocate. One thread;
  /// may be used with one Matcher after the other.
  class Scratch;

  static Matcher compile(std::span<const Pattern> patterns);

  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Replaces `matches` with the rules that `event`, a map, satisfies, in ascending order. Safe to
  /// call from several threads, each with its own scratch.
  void match(const Value& event, Scratch& scratch, std::vector<RuleIndex>& matches) const;

  /// The same from JSON text, which is not turned into msgpack on the way. Refused (Permanent) as
  /// by json_to_msgpack(), and if it is no object.
  Result<> match_json(std::string_view json,
                      Scratch& scratch,
                      std::vector<RuleIndex>& matches,
                      const ValueLimits& limits = {}) const;

private:
  struct Tables;

  class Run;

  explicit Matcher(std::unique_ptr<const Tables> tables);

  std::unique_ptr<const Tables> tables_;
};

class Matcher::Scratch {
public:
  Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;
  ~Scratch();

private:
  friend class Matcher;
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace conga::bus
