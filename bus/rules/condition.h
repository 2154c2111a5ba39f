// SPDX-License-Identifier: Apache-2.0
//
// Condition: one condition of an event pattern on one value. docs/patterns.md says what each means.

#pragma once

#include "bus/rules/casing.h"
#include "bus/rules/cidr.h"
#include "bus/rules/number.h"
#include "bus/rules/scalar.h"
#include "bus/rules/wildcard.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace conga::bus {

struct Condition;

struct ExactText {
  std::string text;
};

struct ExactNumber {
  Number number;
};

struct Literal {
  enum class Kind : std::uint8_t { Null, True, False };

  Kind kind = Kind::Null;
};

struct Prefix {
  std::string text;
};

struct Suffix {
  std::string text;
};

/// `equals-ignore-case`, alone or in a prefix or suffix.
struct IgnoreCase {
  enum class Part : std::uint8_t { Whole, Prefix, Suffix };

  Part part = Part::Whole;
  CaseText text;
};

struct Bound {
  Number number;
  bool included = false;
};

struct NumericRange {
  std::optional<Bound> low;
  std::optional<Bound> high;

  bool holds(const Number& number) const;
};

struct Exists {
  bool wanted = true;
};

/// `anything-but`: a value that satisfies none of these.
struct AnythingBut {
  std::vector<Condition> none_of;
};

struct Condition {
  std::variant<ExactText,
               ExactNumber,
               Literal,
               Prefix,
               Suffix,
               IgnoreCase,
               Wildcard,
               NumericRange,
               Cidr,
               Exists,
               AnythingBut>
      kind;

  /// `value` is a scalar. `exists: false` is satisfied by no value: it is the path's to decide.
  bool satisfied_by(const Scalar& value) const;

  bool satisfied_by(const Value& value) const { return satisfied_by(Scalar::of(value)); }

  /// `exists: false`
  bool wants_absence() const;

  /// As a pattern says it: `{"prefix":"BK-"}`.
  std::string text() const;

  /// Appends a text that equal conditions, and only they, have in common.
  void append_key(std::string& key) const;
};

}  // namespace conga::bus
