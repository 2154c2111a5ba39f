// SPDX-License-Identifier: Apache-2.0

#include "common/config/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <system_error>

namespace conga {
namespace {

/// A document nested deeper is refused before it can exhaust the stack.
constexpr std::size_t kMaxDepth = 128;

template <class Number>
bool read_whole(std::string_view text, Number& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_one_of(std::string_view text, const std::array<std::string_view, 3>& spellings) {
  return std::ranges::find(spellings, text) != spellings.end();
}

bool read_double(std::string_view text, double& into) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits == ".inf" || digits == ".Inf" || digits == ".INF") {
    into = std::numeric_limits<double>::infinity();
    if (text.starts_with('-')) into = -into;
    return true;
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    into = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  // from_chars also reads "inf" and "nan", which are words in YAML.
  if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range) {
    into = std::strtod(std::string(text).c_str(), nullptr);
    return true;
  }
  return error == std::errc();
}

bool read_integer(std::string_view text, Document& into) {
  int base = 10;
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  const std::string_view digits = base == 10 ? text : text.substr(2);
  const std::string_view unsigned_digits = digits.starts_with('+') ? digits.substr(1) : digits;
  if (unsigned_digits.starts_with('+') || (base != 10 && digits.starts_with('-'))) return false;
  if (read_whole(unsigned_digits, into.integer, base)) {
    into.kind = Document::Kind::Integer;
    return true;
  }
  if (read_whole(unsigned_digits, into.unsigned_integer, base)) {
    into.kind = Document::Kind::Unsigned;
    return true;
  }
  return false;
}

void place(const YAML::Mark& mark, std::size_t& line, std::size_t& column) {
  line = static_cast<std::size_t>(mark.line < 0 ? 0 : mark.line) + 1;
  column = static_cast<std::size_t>(mark.column < 0 ? 0 : mark.column) + 1;
}

/// yaml-cpp's own exception for "refused by us", with the place.
[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw YAML::ParserException(mark, why);
}

Document convert(const YAML::Node& node, std::size_t depth);

Document convert_scalar(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  if (tag == "!") {  // quoted
    Document quoted;
    quoted.kind = Document::Kind::String;
    quoted.text = node.Scalar();
    return quoted;
  }
  if (!tag.empty() && tag != "?") refuse(node.Mark(), "tags such as " + tag + " are not allowed");
  return plain_scalar(node.Scalar());
}

Document convert_map(const YAML::Node& node, std::size_t depth) {
  Document map;
  map.kind = Document::Kind::Map;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) refuse(entry.first.Mark(), "a key must be text");
    Document::Member member;
    member.key = entry.first.Scalar();
    place(entry.first.Mark(), member.line, member.column);
    member.value = convert(entry.second, depth + 1);
    map.members.push_back(std::move(member));
  }
  return map;
}

Document convert(const YAML::Node& node, std::size_t depth) {
  if (depth > kMaxDepth) refuse(node.Mark(), "nested deeper than 128 levels");
  Document document;
  if (node.IsScalar()) document = convert_scalar(node);
  if (node.IsMap()) document = convert_map(node, depth);
  if (node.IsSequence()) {
    document.kind = Document::Kind::Array;
    for (const YAML::Node& element : node) document.elements.push_back(convert(element, depth + 1));
  }
  place(node.Mark(), document.line, document.column);
  return document;
}

/// The code unit of a `\uXXXX` at `at`, or nothing.
std::optional<std::uint32_t> code_unit(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) return std::nullopt;
  std::uint32_t unit = 0;
  if (!read_whole(text.substr(at + 2, 4), unit, 16)) return std::nullopt;
  return unit;
}

/// JSON spells a character beyond U+FFFF as two escapes (RFC 8259 §7), YAML as one of eight
/// digits; yaml-cpp knows only YAML's.
std::string join_surrogates(std::string_view text) {
  std::string joined;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      joined += text[at++];
      continue;
    }
    const auto high = code_unit(text, at);
    const auto low = high ? code_unit(text, at + 6) : std::nullopt;
    if (!low || (*high & 0xfc00U) != 0xd800U || (*low & 0xfc00U) != 0xdc00U) {
      joined.append(text.substr(at, 2));  // also `\\`, so that its second half is no escape
      at += 2;
      continue;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::uint32_t point = 0x10000U + ((*high & 0x3ffU) << 10U) + (*low & 0x3ffU);
    joined += "\\U";
    for (int shift = 28; shift >= 0; shift -= 4) joined += kHex[(point >> shift) & 0x0fU];
    at += 12;
  }
  return joined;
}

std::string at(const std::string& file, const YAML::Mark& mark) {
  std::size_t line = 0;
  std::size_t column = 0;
  place(mark, line, column);
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

}  // namespace

const Document* Document::find(std::string_view key) const {
  const auto found = std::find_if(
      members.rbegin(), members.rend(), [key](const Member& member) { return member.key == key; });
  return found == members.rend() ? nullptr : &found->value;
}

std::string Document::describe() const {
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::Boolean:
      return "the boolean " + text;
    case Kind::Integer:
    case Kind::Unsigned:
    case Kind::Double:
      return "the number " + text;
    case Kind::String:
      return "the text '" + text + "'";
    case Kind::Array:
      return "a list";
    case Kind::Map:
      return "a map";
  }
  return {};
}

Document plain_scalar(std::string_view text) {
  Document scalar;
  scalar.text = text;
  if (text.empty() || text == "~" || is_one_of(text, {"null", "Null", "NULL"})) return scalar;
  scalar.boolean = is_one_of(text, {"true", "True", "TRUE"});
  if (scalar.boolean || is_one_of(text, {"false", "False", "FALSE"})) {
    scalar.kind = Document::Kind::Boolean;
  } else if (!read_integer(text, scalar)) {
    scalar.kind =
        read_double(text, scalar.number) ? Document::Kind::Double : Document::Kind::String;
  }
  return scalar;
}

Result<Document> parse_yaml(std::string_view text, const std::string& file) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(join_surrogates(text));
    if (documents.empty()) return Document();
    if (documents.size() > 1) {
      return fail(Fault::Permanent, at(file, documents[1].Mark()) + "only one document is allowed");
    }
    return convert(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return fail(Fault::Permanent, at(file, error.mark) + error.msg);
  }
}

}  // namespace conga
