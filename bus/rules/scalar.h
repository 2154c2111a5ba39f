// SPDX-License-Identifier: Apache-2.0
//
// Scalar: one value of an event, decoded once for all the conditions that look at it, whether the
// event came as msgpack or as JSON.

#pragma once

#include "bus/rules/number.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace conga::bus {

class Scalar {
public:
  enum class Kind : std::uint8_t { Null, False, True, Number, Text };

  /// Null, false or true.
  explicit Scalar(Kind literal) : kind_(literal) {}

  explicit Scalar(const Number& number) : number_(number), kind_(Kind::Number) {}

  /// A view: the event must outlive it.
  explicit Scalar(std::string_view text) : text_(text), kind_(Kind::Text) {}

  /// `value` is neither an array nor a map.
  static Scalar of(const Value& value);

  Kind kind() const { return kind_; }

  bool is_text() const { return kind_ == Kind::Text; }

  bool is_number() const { return kind_ == Kind::Number; }

  /// Empty if it is none.
  std::string_view text() const { return text_; }

  /// 0 if it is none.
  const Number& number() const { return number_; }

private:
  std::string_view text_;
  Number number_{std::uint64_t{0}};
  Kind kind_;
};

}  // namespace conga::bus
