// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/casing.h"
#include "bus/rules/cidr.h"
#include "bus/rules/number.h"
#include "bus/rules/wildcard.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace {

using conga::bus::CaseText;
using conga::bus::Number;

bool equal_ignoring_case(std::string_view pattern, std::string_view text) {
  return CaseText(pattern, CaseText::Where::Front).take(text) && text.empty();
}

}  // namespace

TEST_CASE("numbers are compared exactly across their types") {
  CHECK(Number(300.0) == Number(std::int64_t{300}));
  CHECK(Number(-0.0) == Number(std::uint64_t{0}));
  const Number large(std::numeric_limits<std::uint64_t>::max());
  CHECK(large < Number(18446744073709551616.0));
  CHECK(large > Number(std::int64_t{-1}));
  CHECK(Number(std::int64_t{9007199254740993}) != Number(9007199254740992.0));
  CHECK(Number(std::int64_t{9007199254740993}) > Number(9007199254740992.0));
  CHECK(Number(std::int64_t{-3}) < Number(-2.5));
  CHECK(Number(-2.5) < Number(std::int64_t{-2}));
  CHECK(Number(2.5) > Number(std::int64_t{2}));
  CHECK(Number(std::int64_t{3}) > Number(2.5));
  CHECK(Number(std::numeric_limits<double>::infinity()) > large);
  CHECK_FALSE(Number(std::numeric_limits<double>::quiet_NaN()) < large);
  CHECK_FALSE(Number(std::numeric_limits<double>::quiet_NaN()) > large);
}

TEST_CASE("no form of a character begins or ends with another of its forms") {
  for (char32_t letter = 0; letter < 0x110000; ++letter) {
    if (letter >= 0xD800 && letter < 0xE000) continue;
    const std::array<std::string, 2> forms{conga::bus::lower_case(letter),
                                           conga::bus::upper_case(letter)};
    if (forms[0] == forms[1]) continue;
    CAPTURE(static_cast<std::uint32_t>(letter));
    REQUIRE_FALSE(forms[0].starts_with(forms[1]));
    REQUIRE_FALSE(forms[0].ends_with(forms[1]));
    REQUIRE_FALSE(forms[1].starts_with(forms[0]));
    REQUIRE_FALSE(forms[1].ends_with(forms[0]));
  }
}

TEST_CASE("ignoring case is full and not symmetric") {
  CHECK(equal_ignoring_case("stra\u00dfe", "STRASSE"));
  CHECK_FALSE(equal_ignoring_case("strasse", "stra\u00dfe"));
  CHECK(equal_ignoring_case("\u03c2", "\u03a3"));
  CHECK(equal_ignoring_case("\u03a3", "\u03c3"));
  CHECK(equal_ignoring_case("\U00010400", "\U00010428"));
  std::string_view rest = "x\u00c9T\u00c9";
  CHECK(CaseText("\u00e9t\u00e9", CaseText::Where::Back).take(rest));
  CHECK(rest == "x");
}

TEST_CASE("a wildcard with many stars takes linear time") {
  std::string pattern;
  for (int star = 0; star < 500; ++star) pattern += "*a";
  const auto wildcard = conga::bus::Wildcard::parse(pattern + "*b*");
  REQUIRE(wildcard.has_value());
  CHECK_FALSE(wildcard->matches(std::string(1000000, 'a')));
}

TEST_CASE("an address is plain text of one family") {
  CHECK(conga::bus::Address::parse("10.0.0.255").has_value());
  CHECK_FALSE(conga::bus::Address::parse("10.0.0.256").has_value());
  CHECK_FALSE(conga::bus::Address::parse("10.0.0").has_value());
  CHECK_FALSE(conga::bus::Address::parse("10.0.0.1 ").has_value());
  CHECK_FALSE(conga::bus::Address::parse("010.0.0.1").has_value());
  CHECK(conga::bus::Address::parse("2001:DB8::1").has_value());
  CHECK_FALSE(conga::bus::Address::parse("fe80::1%eth0").has_value());
  const auto block = conga::bus::Cidr::parse("10.1.2.3/20");
  REQUIRE(block.has_value());
  CHECK(block->contains(*conga::bus::Address::parse("10.1.15.255")));
  CHECK_FALSE(block->contains(*conga::bus::Address::parse("10.1.16.0")));
}
