// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/condition.h"

#include <algorithm>

namespace conga::bus {
namespace {

/// One overload per kind of condition.
struct Satisfied {
  const Scalar& value;

  bool operator()(const ExactText& wanted) const {
    return value.is_text() && value.text() == wanted.text;
  }

  bool operator()(const ExactNumber& wanted) const {
    return value.is_number() && value.number() == wanted.number;
  }

  bool operator()(const Literal& wanted) const {
    using Kind = Scalar::Kind;
    if (wanted.kind == Literal::Kind::Null) return value.kind() == Kind::Null;
    return value.kind() == (wanted.kind == Literal::Kind::True ? Kind::True : Kind::False);
  }

  bool operator()(const Prefix& wanted) const {
    return value.is_text() && value.text().starts_with(wanted.text);
  }

  bool operator()(const Suffix& wanted) const {
    return value.is_text() && value.text().ends_with(wanted.text);
  }

  bool operator()(const IgnoreCase& wanted) const {
    std::string_view rest = value.text();
    return value.is_text() && wanted.text.take(rest)
           && (wanted.part != IgnoreCase::Part::Whole || rest.empty());
  }

  bool operator()(const Wildcard& wanted) const {
    return value.is_text() && wanted.matches(value.text());
  }

  bool operator()(const NumericRange& wanted) const {
    return value.is_number() && wanted.holds(value.number());
  }

  bool operator()(const Cidr& wanted) const {
    const auto address = value.is_text() ? Address::parse(value.text()) : std::nullopt;
    return address && wanted.contains(*address);
  }

  bool operator()(const Exists& wanted) const { return wanted.wanted; }

  bool operator()(const AnythingBut& wanted) const {
    return std::ranges::none_of(wanted.none_of,
                                [this](const Condition& one) { return one.satisfied_by(value); });
  }
};

/// Writes texts with their sizes, so that no two sequences run into one another.
struct AppendKey {
  std::string& key;

  void operator()(const ExactText& one) const { text(one.text); }

  void operator()(const ExactNumber& one) const { number(one.number); }

  void operator()(const Literal& one) const { key += static_cast<char>(one.kind); }

  void operator()(const Prefix& one) const { text(one.text); }

  void operator()(const Suffix& one) const { text(one.text); }

  void operator()(const IgnoreCase& one) const {
    key += static_cast<char>(one.part);
    text(one.text.text());
  }

  void operator()(const Wildcard& one) const {
    for (const std::string& part : one.parts()) text(part);
  }

  void operator()(const NumericRange& one) const {
    bound(one.low);
    bound(one.high);
  }

  void operator()(const Cidr& one) const {
    key += one.base().v6 ? '6' : '4';
    key += static_cast<char>(one.bits());
    for (const std::uint8_t byte : one.base().bytes) key += static_cast<char>(byte);
  }

  void operator()(const Exists& one) const { key += one.wanted ? '1' : '0'; }

  void operator()(const AnythingBut& one) const {
    for (const Condition& inner : one.none_of) inner.append_key(key);
  }

  void text(const std::string& text) const {
    key += std::to_string(text.size());
    key += ':';
    key += text;
  }

  void number(const Number& number) const {
    key += static_cast<char>(number.kind());
    for (unsigned shift = 0; shift < 64; shift += 8) {
      key += static_cast<char>(number.bits() >> shift & 0xFFU);
    }
  }

  void bound(const std::optional<Bound>& bound) const {
    key += !bound ? '-' : bound->included ? '=' : '<';
    if (bound) number(bound->number);
  }
};

}  // namespace

bool NumericRange::holds(const Number& number) const {
  if (!number.finite()) return false;
  const bool above = !low || number > low->number || (low->included && number == low->number);
  return above && (!high || number < high->number || (high->included && number == high->number));
}

bool Condition::satisfied_by(const Scalar& value) const {
  return std::visit(Satisfied{value}, kind);
}

bool Condition::wants_absence() const {
  const auto* const exists = std::get_if<Exists>(&kind);
  return exists != nullptr && !exists->wanted;
}

void Condition::append_key(std::string& key) const {
  key += static_cast<char>('A' + kind.index());
  std::visit(AppendKey{key}, kind);
  key += ';';
}

}  // namespace conga::bus
