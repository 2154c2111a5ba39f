// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/condition_parser.h"

#include "common/config/config_reader.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::bus {
namespace {

using Kind = Document::Kind;

bool is_number(const Document& node) {
  return node.kind == Kind::Integer || node.kind == Kind::Unsigned || node.kind == Kind::Double;
}

Number number_of(const Document& node) {
  if (node.kind == Kind::Integer) return Number(node.integer);
  if (node.kind == Kind::Unsigned) return Number(node.unsigned_integer);
  return Number(node.number);
}

std::string indexed(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace

const std::vector<ConditionParser::Operator>& ConditionParser::operators() {
  static const std::vector<Operator> kOperators{
      {"exactly", &ConditionParser::exactly},
      {"prefix", &ConditionParser::prefix},
      {"suffix", &ConditionParser::suffix},
      {"equals-ignore-case", &ConditionParser::ignore_case},
      {"wildcard", &ConditionParser::wildcard},
      {"numeric", &ConditionParser::numeric},
      {"cidr", &ConditionParser::cidr},
      {"exists", &ConditionParser::exists},
      {"anything-but", &ConditionParser::anything_but},
  };
  return kOperators;
}

bool ConditionParser::is_operator(std::string_view word) {
  return std::ranges::find(operators(), word, &Operator::word) != operators().end();
}

std::vector<Condition> ConditionParser::list(const Document& list, const std::string& path) {
  std::vector<Condition> conditions;
  conditions.reserve(list.elements.size());
  for (std::size_t index = 0; index < list.elements.size(); ++index) {
    auto found = condition(list.elements[index], indexed(path, index));
    if (found) conditions.push_back(std::move(*found));
  }
  return conditions;
}

ConditionParser::Found ConditionParser::condition(const Document& node, const std::string& path) {
  switch (node.kind) {
    case Kind::Null:
      return Condition{Literal{Literal::Kind::Null}};
    case Kind::Boolean:
      return Condition{Literal{node.boolean ? Literal::Kind::True : Literal::Kind::False}};
    case Kind::Integer:
    case Kind::Unsigned:
    case Kind::Double:
      return Condition{ExactNumber{number_of(node)}};
    case Kind::String:
      return Condition{ExactText{node.text}};
    case Kind::Map:
      return object(node, path);
    case Kind::Array:
      break;
  }
  return fault(node, path, "a list may not stand in a list of conditions");
}

ConditionParser::Found ConditionParser::object(const Document& node, const std::string& path) {
  if (node.members.size() != 1) {
    return fault(node,
                 path,
                 "a condition object has exactly one key, this one has "
                     + std::to_string(node.members.size()));
  }
  const Document::Member& member = node.members.front();
  const auto found = std::ranges::find(operators(), member.key, &Operator::word);
  if (found != operators().end())
    return (this->*found->read)(member.value, path + "." + member.key);
  std::vector<std::string> words;
  for (const Operator& known : operators()) words.emplace_back(known.word);
  const std::string_view near = nearest(member.key, words);
  std::string why = "unknown operator '" + member.key + "'";
  if (!near.empty()) why += ", did you mean '" + std::string(near) + "'?";
  why += " Operators are";
  for (const std::string& word : words) why += (word == words.front() ? " " : ", ") + word;
  faults_.push_back({path, member.line, member.column, std::move(why)});
  return std::nullopt;
}

ConditionParser::Found ConditionParser::exactly(const Document& node, const std::string& path) {
  if (!is_text(node, path)) return std::nullopt;
  return Condition{ExactText{node.text}};
}

ConditionParser::Found ConditionParser::prefix(const Document& node, const std::string& path) {
  if (node.kind == Kind::Map) return affix_ignoring_case(node, path, IgnoreCase::Part::Prefix);
  if (!is_text(node, path)) return std::nullopt;
  return Condition{Prefix{node.text}};
}

ConditionParser::Found ConditionParser::suffix(const Document& node, const std::string& path) {
  if (node.kind == Kind::Map) return affix_ignoring_case(node, path, IgnoreCase::Part::Suffix);
  if (!is_text(node, path)) return std::nullopt;
  return Condition{Suffix{node.text}};
}

ConditionParser::Found ConditionParser::affix_ignoring_case(const Document& node,
                                                            const std::string& path,
                                                            IgnoreCase::Part part) {
  constexpr std::string_view kWord = "equals-ignore-case";
  if (node.members.size() != 1 || node.members.front().key != kWord) {
    return fault(node, path, "expected a text or {\"equals-ignore-case\": text}");
  }
  const Document& text = node.members.front().value;
  if (!is_text(text, path + "." + std::string(kWord))) return std::nullopt;
  const auto where =
      part == IgnoreCase::Part::Suffix ? CaseText::Where::Back : CaseText::Where::Front;
  return Condition{IgnoreCase{part, CaseText(text.text, where)}};
}

ConditionParser::Found ConditionParser::ignore_case(const Document& node, const std::string& path) {
  if (!is_text(node, path)) return std::nullopt;
  return Condition{
      IgnoreCase{IgnoreCase::Part::Whole, CaseText(node.text, CaseText::Where::Front)}};
}

ConditionParser::Found ConditionParser::wildcard(const Document& node, const std::string& path) {
  if (!is_text(node, path)) return std::nullopt;
  auto wildcard = Wildcard::parse(node.text);
  if (!wildcard) return fault(node, path, wildcard.error().what);
  return Condition{std::move(*wildcard)};
}

ConditionParser::Found ConditionParser::numeric(const Document& node, const std::string& path) {
  if (node.kind != Kind::Array) {
    return fault(
        node, path, "expected a list such as [\">\", 0, \"<=\", 5], found " + node.describe());
  }
  if (node.elements.size() == 2) return one_bound(node, path);
  if (node.elements.size() == 4) return two_bounds(node, path);
  return fault(node, path, "expected one or two pairs of operator and number");
}

ConditionParser::Found ConditionParser::one_bound(const Document& node, const std::string& path) {
  const Document& word = node.elements[0];
  if (!is_finite_number(node.elements[1], indexed(path, 1))) return std::nullopt;
  const Number number = number_of(node.elements[1]);
  const bool known = word.kind == Kind::String;
  if (known && word.text == "=") return Condition{ExactNumber{number}};
  if (known && (word.text == ">" || word.text == ">=")) {
    return Condition{NumericRange{Bound{number, word.text == ">="}, std::nullopt}};
  }
  if (known && (word.text == "<" || word.text == "<=")) {
    return Condition{NumericRange{std::nullopt, Bound{number, word.text == "<="}}};
  }
  return fault(word,
               indexed(path, 0),
               "expected \"<\", \"<=\", \"=\", \">\" or \">=\", found " + word.describe());
}

ConditionParser::Found ConditionParser::two_bounds(const Document& node, const std::string& path) {
  const auto is_word = [&node](std::size_t index, std::string_view plain, std::string_view equal) {
    const Document& word = node.elements[index];
    return word.kind == Kind::String && (word.text == plain || word.text == equal);
  };
  if (!is_word(0, ">", ">=") || !is_word(2, "<", "<=")) {
    return fault(node, path, "two bounds are \">\" or \">=\" first, then \"<\" or \"<=\"");
  }
  for (const std::size_t index : {std::size_t{1}, std::size_t{3}}) {
    if (!is_finite_number(node.elements[index], indexed(path, index))) return std::nullopt;
  }
  const Bound low{number_of(node.elements[1]), node.elements[0].text == ">="};
  const Bound high{number_of(node.elements[3]), node.elements[2].text == "<="};
  if (!(low.number < high.number)) {
    return fault(node, path, "the lower bound must be less than the upper bound");
  }
  return Condition{NumericRange{low, high}};
}

ConditionParser::Found ConditionParser::cidr(const Document& node, const std::string& path) {
  if (!is_text(node, path)) return std::nullopt;
  const auto cidr = Cidr::parse(node.text);
  if (!cidr) return fault(node, path, cidr.error().what);
  return Condition{*cidr};
}

ConditionParser::Found ConditionParser::exists(const Document& node, const std::string& path) {
  if (node.kind == Kind::Boolean) return Condition{Exists{node.boolean}};
  return fault(node, path, "expected true or false, found " + node.describe());
}

ConditionParser::Found ConditionParser::anything_but(const Document& node,
                                                     const std::string& path) {
  if (node.kind == Kind::Map) return anything_but_operator(node, path);
  if (node.kind == Kind::Array) return anything_but_list(node, path);
  if (node.kind != Kind::String && !is_number(node)) {
    return fault(node,
                 path,
                 "expected a text, a number, a list of either or one of "
                 "prefix, suffix, equals-ignore-case, wildcard, found "
                     + node.describe());
  }
  AnythingBut but;
  but.none_of.push_back(*condition(node, path));
  return Condition{std::move(but)};
}

ConditionParser::Found ConditionParser::anything_but_list(const Document& list,
                                                          const std::string& path) {
  const auto all_of = [&list](auto matches) {
    return std::all_of(list.elements.begin(), list.elements.end(), matches);
  };
  const bool texts = all_of([](const Document& one) { return one.kind == Kind::String; });
  if (list.elements.empty() || (!texts && !all_of(is_number))) {
    return fault(list, path, "expected a list of only texts or only numbers, not empty");
  }
  return Condition{AnythingBut{this->list(list, path)}};
}

ConditionParser::Found ConditionParser::anything_but_operator(const Document& node,
                                                              const std::string& path) {
  constexpr std::array<std::pair<std::string_view, Reader>, 4> kAllowed{{
      {"prefix", &ConditionParser::prefix},
      {"suffix", &ConditionParser::suffix},
      {"equals-ignore-case", &ConditionParser::ignore_case},
      {"wildcard", &ConditionParser::wildcard},
  }};
  const std::string word = node.members.size() == 1 ? node.members.front().key : "";
  const auto* const allowed =
      std::ranges::find(kAllowed, word, &std::pair<std::string_view, Reader>::first);
  if (allowed == kAllowed.end()) {
    return fault(node,
                 path,
                 "expected one of prefix, suffix, equals-ignore-case, wildcard and nothing else");
  }
  const Document& value = node.members.front().value;
  const bool list = value.kind == Kind::Array;
  if (list && value.elements.empty()) {
    return fault(value, path + "." + word, "an empty list excludes nothing");
  }
  const bool affix = word == "prefix" || word == "suffix";
  AnythingBut but;
  for (std::size_t index = 0; index < (list ? value.elements.size() : 1); ++index) {
    const Document& one = list ? value.elements[index] : value;
    const std::string where = list ? indexed(path + "." + word, index) : path + "." + word;
    if (!is_text(one, where)) return std::nullopt;
    if (affix && one.text.empty()) return fault(one, where, "an empty text excludes every text");
    auto found = (this->*allowed->second)(one, where);
    if (!found) return std::nullopt;
    but.none_of.push_back(std::move(*found));
  }
  return Condition{std::move(but)};
}

bool ConditionParser::is_text(const Document& node, const std::string& path) {
  if (node.kind == Kind::String) return true;
  fault(node, path, "expected a text, found " + node.describe());
  return false;
}

bool ConditionParser::is_finite_number(const Document& node, const std::string& path) {
  if (is_number(node) && number_of(node).finite()) return true;
  fault(node, path, "expected a number, found " + node.describe());
  return false;
}

ConditionParser::Found ConditionParser::fault(const Document& where,
                                              const std::string& path,
                                              std::string why) {
  faults_.push_back({path, where.line, where.column, std::move(why)});
  return std::nullopt;
}

}  // namespace conga::bus
