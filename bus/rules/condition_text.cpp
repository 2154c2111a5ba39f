// SPDX-License-Identifier: Apache-2.0
//
// Condition::text(): a condition as a pattern says it, for people who ask why it failed.

#include "bus/rules/condition.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <arpa/inet.h>
#include <array>

namespace conga::bus {
namespace {

std::string quoted(std::string_view text) {
  std::string packed;
  Packer(packed).string(text);
  return to_json(Value::trusted(packed));
}

std::string object(std::string_view word, const std::string& value) {
  return "{\"" + std::string(word) + "\":" + value + "}";
}

/// One overload per kind of condition.
struct AsText {
  std::string operator()(const ExactText& one) const { return quoted(one.text); }

  std::string operator()(const ExactNumber& one) const { return one.number.text(); }

  std::string operator()(const Literal& one) const {
    if (one.kind == Literal::Kind::Null) return "null";
    return one.kind == Literal::Kind::True ? "true" : "false";
  }

  std::string operator()(const Prefix& one) const { return object("prefix", quoted(one.text)); }

  std::string operator()(const Suffix& one) const { return object("suffix", quoted(one.text)); }

  std::string operator()(const IgnoreCase& one) const {
    std::string inner = object("equals-ignore-case", quoted(one.text.text()));
    if (one.part == IgnoreCase::Part::Whole) return inner;
    return object(one.part == IgnoreCase::Part::Prefix ? "prefix" : "suffix", inner);
  }

  std::string operator()(const Wildcard& one) const {
    std::string text;
    for (const std::string& part : one.parts()) {
      if (&part != one.parts().data()) text += '*';
      for (const char letter : part) {
        if (letter == '*' || letter == '\\') text += '\\';
        text += letter;
      }
    }
    return object("wildcard", quoted(text));
  }

  std::string operator()(const NumericRange& one) const {
    std::string bounds;
    if (one.low) bounds += (one.low->included ? "\">=\"," : "\">\",") + one.low->number.text();
    if (one.low && one.high) bounds += ',';
    if (one.high) bounds += (one.high->included ? "\"<=\"," : "\"<\",") + one.high->number.text();
    return object("numeric", "[" + bounds + "]");
  }

  std::string operator()(const Cidr& one) const {
    std::array<char, INET6_ADDRSTRLEN> base{};
    inet_ntop(
        one.base().v6 ? AF_INET6 : AF_INET, one.base().bytes.data(), base.data(), base.size());
    return object("cidr", quoted(std::string(base.data()) + "/" + std::to_string(one.bits())));
  }

  std::string operator()(const Exists& one) const {
    return object("exists", one.wanted ? "true" : "false");
  }

  std::string operator()(const AnythingBut& one) const {
    std::string list;
    std::string word;
    for (const Condition& inner : one.none_of) {
      std::string text = inner.text();
      if (text.starts_with('{')) {  // {"prefix":"a"}: all have the same word
        word = text.substr(0, text.find(':') + 1);
        text = text.substr(word.size(), text.size() - word.size() - 1);
      }
      if (!list.empty()) list += ',';
      list += text;
    }
    if (one.none_of.size() != 1) list = "[" + list + "]";
    return object("anything-but", word.empty() ? list : word + list + "}");
  }
};

}  // namespace

std::string Condition::text() const {
  return std::visit(AsText{}, kind);
}

}  // namespace conga::bus
