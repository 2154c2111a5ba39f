// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/number.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace conga::bus {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

}  // namespace

Number::Number(std::int64_t value)
    : bits_(static_cast<std::uint64_t>(value)), kind_(value < 0 ? Kind::Negative : Kind::Natural) {}

Number::Number(std::uint64_t value) : bits_(value), kind_(Kind::Natural) {}

Number::Number(double value) : bits_(std::bit_cast<std::uint64_t>(value)), kind_(Kind::Real) {
  if (!(value >= -kTwoTo63 && value < kTwoTo64) || std::trunc(value) != value) return;
  *this = value < 0 ? Number(static_cast<std::int64_t>(value))
                    : Number(static_cast<std::uint64_t>(value));
}

std::optional<Number> Number::of(const Value& value) {
  if (value.type() == Value::Type::Double) return Number(*value.number());
  if (const auto small = value.int64()) return Number(*small);
  if (const auto large = value.uint64()) return Number(*large);
  return std::nullopt;
}

double Number::real() const {
  return std::bit_cast<double>(bits_);
}

bool Number::finite() const {
  return kind_ != Kind::Real || std::isfinite(real());
}

std::string Number::text() const {
  if (kind_ == Kind::Natural) return std::to_string(bits_);
  if (kind_ == Kind::Negative) return std::to_string(static_cast<std::int64_t>(bits_));
  std::array<char, 32> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), real()).ptr;
  return {digits.data(), end};
}

std::partial_ordering operator<=>(const Number& one, const Number& other) {
  using Kind = Number::Kind;
  if (one.kind_ == Kind::Real && other.kind_ == Kind::Real) return one.real() <=> other.real();
  if (one.kind_ == Kind::Real) return 0 <=> (other <=> one);
  if (other.kind_ == Kind::Real) {
    // A Real has a fraction or is beyond 64 bits, so it equals no whole number.
    const double real = other.real();
    if (std::isnan(real)) return std::partial_ordering::unordered;
    if (real >= kTwoTo64) return std::partial_ordering::less;
    if (real < -kTwoTo63) return std::partial_ordering::greater;
    const Number below(std::floor(real));
    return one <= below ? std::partial_ordering::less : std::partial_ordering::greater;
  }
  if (one.kind_ != other.kind_) return one.kind_ <=> other.kind_;
  // Two's complement keeps the order among negative numbers.
  return one.bits_ <=> other.bits_;
}

}  // namespace conga::bus
