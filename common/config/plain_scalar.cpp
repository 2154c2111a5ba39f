// SPDX-License-Identifier: Apache-2.0
//
// What an unquoted word means: YAML 1.2's core schema (https://yaml.org/spec/1.2.2/, 10.3.2).

#include "common/config/document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <system_error>

namespace conga {
namespace {

template <class Number>
bool read_whole(std::string_view text, Number& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_one_of(std::string_view text, const std::array<std::string_view, 3>& spellings) {
  return std::ranges::find(spellings, text) != spellings.end();
}

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// [-+]? [0-9]+ | 0o [0-7]+ | 0x [0-9a-fA-F]+
bool read_integer(std::string_view text, Document& into) {
  int base = 10;
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  std::string_view digits = base == 10 ? text : text.substr(2);
  if (base == 10 && digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.starts_with('-')) return false;
  }
  if (base != 10 && digits.starts_with('-')) return false;
  if (read_whole(digits, into.integer, base)) {
    into.kind = Document::Kind::Integer;
    return true;
  }
  if (read_whole(digits, into.unsigned_integer, base)) {
    into.kind = Document::Kind::Unsigned;
    return true;
  }
  return false;
}

bool read_special(std::string_view text, double& into) {
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) {
    into = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (!is_one_of(text, {".inf", ".Inf", ".INF"})) return false;
  into = std::numeric_limits<double>::infinity();
  if (negative) into = -into;
  return true;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool read_double(std::string_view text, double& into) {
  const bool negative = text.starts_with('-');
  const bool is_signed = negative || text.starts_with('+');
  const std::string_view digits = text.substr(is_signed ? 1 : 0);
  // from_chars also takes a second sign, and words such as "inf", which YAML writes ".inf".
  if (digits.empty() || !(is_digit(digits[0]) || digits[0] == '.')) return false;
  if (!negative) text = digits;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range) {
    into = std::strtod(std::string(text).c_str(), nullptr);  // 0 or infinity
    return true;
  }
  return error == std::errc();
}

}  // namespace

Document plain_scalar(std::string_view text) {
  Document scalar;
  scalar.text = text;
  if (text.empty() || text == "~" || is_one_of(text, {"null", "Null", "NULL"})) return scalar;
  scalar.boolean = is_one_of(text, {"true", "True", "TRUE"});
  if (scalar.boolean || is_one_of(text, {"false", "False", "FALSE"})) {
    scalar.kind = Document::Kind::Boolean;
  } else if (!read_integer(text, scalar)) {
    const bool is_number = read_special(text, scalar.number) || read_double(text, scalar.number);
    scalar.kind = is_number ? Document::Kind::Double : Document::Kind::String;
  }
  return scalar;
}

}  // namespace conga
