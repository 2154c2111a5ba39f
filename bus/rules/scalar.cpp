// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/scalar.h"

namespace conga::bus {

Scalar Scalar::of(const Value& value) {
  if (const auto text = value.string()) return Scalar(*text);
  if (const auto number = Number::of(value)) return Scalar(*number);
  const auto truth = value.boolean();
  return Scalar(!truth ? Kind::Null : *truth ? Kind::True : Kind::False);
}

}  // namespace conga::bus
