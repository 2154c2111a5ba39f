// SPDX-License-Identifier: Apache-2.0
//
// Number: a number of an event or a pattern, compared exactly whatever its spelling: 300, 300.0 and
// 3.0e2 are one number, and no 64-bit integer is ever rounded to a double on the way.

#pragma once

#include "common/wire/event/value.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace conga::bus {

/// In canonical form, so that equal numbers have equal members: a whole number that fits 64 bits is
/// Negative or Natural, everything else Real.
class Number {
public:
  enum class Kind : std::uint8_t { Negative, Natural, Real };

  explicit Number(std::int64_t value);
  explicit Number(std::uint64_t value);
  explicit Number(double value);

  /// Nothing if `value` is no number.
  static std::optional<Number> of(const Value& value);

  /// False for NaN and infinities.
  bool finite() const;

  Kind kind() const { return kind_; }

  /// Two's complement, or the double's bits: with kind() a key for hash tables.
  std::uint64_t bits() const { return bits_; }

  std::string text() const;

  /// As IEEE has it, NaN equals nothing.
  friend bool operator==(const Number& one, const Number& other) {
    return (one <=> other) == std::partial_ordering::equivalent;
  }

  friend std::partial_ordering operator<=>(const Number& one, const Number& other);

private:
  double real() const;

  std::uint64_t bits_;
  Kind kind_;
};

}  // namespace conga::bus
