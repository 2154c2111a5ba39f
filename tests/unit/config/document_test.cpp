// SPDX-License-Identifier: Apache-2.0

#include "common/config/document.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

using conga::Document;
using conga::parse_yaml;
using conga::plain_scalar;

namespace {

Document parsed(std::string_view text) {
  auto document = parse_yaml(text, "f.yaml");
  REQUIRE_MESSAGE(document, (document ? "" : document.error().what));
  return *document;
}

std::string fault_of(std::string_view text) {
  const auto document = parse_yaml(text, "f.yaml");
  return document ? "" : document.error().what;
}

}  // namespace

TEST_CASE("plain words are numbers exactly where the core schema says so") {
  using enum Document::Kind;
  for (const char* const text : {"+5", "-5", "0", "007", "0x1F", "0o17"}) {
    CAPTURE(text);
    CHECK(plain_scalar(text).kind == Integer);
  }
  for (const char* const text : {".5", "5.", "-.5", "+.5", "1e5", "1.5E-3", "-.inf", ".nan"}) {
    CAPTURE(text);
    CHECK(plain_scalar(text).kind == Double);
  }
  for (const char* const text : {"+-5",
                                 "-+5",
                                 "--5",
                                 "0x",
                                 "0x-1",
                                 "0xg",
                                 "0o8",
                                 "1_000",
                                 ".",
                                 "-",
                                 "e5",
                                 "inf",
                                 "nan",
                                 "1:30"}) {
    CAPTURE(text);
    CHECK(plain_scalar(text).kind == String);
  }
  CHECK(plain_scalar("-0x1").kind == String);
  CHECK(plain_scalar("0o17").integer == 15);
  CHECK(plain_scalar("-9223372036854775808").integer == std::numeric_limits<std::int64_t>::min());
  CHECK(plain_scalar("18446744073709551615").unsigned_integer
        == std::numeric_limits<std::uint64_t>::max());
  CHECK(plain_scalar("-.inf").number < 0);
  CHECK(std::isnan(plain_scalar(".nan").number));
  CHECK(plain_scalar("+.5").number == 0.5);
}

TEST_CASE("surrogate pairs are joined in double quotes and left alone elsewhere") {
  const Document list =
      parsed(R"(["\ud83d\ude00 \"\uD83D\uDE01", 'a\ud83d\ude00', \ud83d\ude00, z])");
  REQUIRE(list.elements.size() == 4);
  CHECK(list.elements[0].text == "😀 \"😁");
  CHECK(list.elements[1].text == R"(a\ud83d\ude00)");
  CHECK(list.elements[2].text == R"(\ud83d\ude00)");
  CHECK(list.elements[3].column == 64);
}

TEST_CASE("an escaped backslash before a surrogate escape is no escape") {
  CHECK(parsed(R"("\\ud83d\\ude00")").text == R"(\ud83d\ude00)");
}

TEST_CASE("half a surrogate pair is refused at its place") {
  CHECK(fault_of("a: \"x \\ud83d y\"").starts_with("f.yaml:1:"));
  CHECK(fault_of("a: \"\\ude00\\ud83d\"").find("surrogate") != std::string::npos);
}

TEST_CASE("JSON indented with tabs, without spaces after colons, is YAML") {
  const Document map = parsed("{\n\t\"a\":1,\n\t\"b\":{\"c\":[\"d\",null,true]}\n}\n");
  CHECK(map.find("a")->integer == 1);
  CHECK(map.find("b")->find("c")->elements.size() == 3);
}

TEST_CASE("an alias is a copy of what its anchor names") {
  const Document map = parsed("a: &x [1, {k: v}]\nb: *x\n");
  CHECK(map.find("b")->elements[1].find("k")->text == "v");
  CHECK(map.find("b")->line == 2);
}

TEST_CASE("aliases cannot make a document larger than a machine") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    const std::string before = "*a" + std::to_string(level - 1);
    const std::string name = "a" + std::to_string(level);
    bomb += name + ": &" + name + " [";
    for (int copy = 0; copy < 9; ++copy) bomb += before + ", ";
    bomb += before + "]\n";
  }
  CHECK(fault_of(bomb).find("too large") != std::string::npos);
}

TEST_CASE("what has no place in a configuration is refused, with its place") {
  CHECK(fault_of("a: &x {k: *x}") == "f.yaml:1:11: this alias stands inside what it names");
  CHECK(fault_of("a: {<<: {b: 1}}").starts_with("f.yaml:1:5: merge keys"));
  CHECK(fault_of("a: !!str 5").starts_with("f.yaml:1:4: tags such as"));
  CHECK(fault_of("? [1]\n: 3\n").find("a key must be text") != std::string::npos);
  CHECK(fault_of("--- a\n--- b\n").find("only one document") != std::string::npos);
  CHECK(fault_of(std::string(200, '[') + std::string(200, ']')).find("nested deeper")
        != std::string::npos);
}

TEST_CASE("an empty text is nothing") {
  CHECK(parsed("").kind == Document::Kind::Null);
  CHECK(parsed("# only a comment\n").kind == Document::Kind::Null);
  CHECK(parsed("\xef\xbb\xbf"
               "a: 1")
            .find("a")
            ->integer
        == 1);
}

TEST_CASE("repeated keys are kept for their reader to judge") {
  const Document map = parsed("a: 1\na: 2\n");
  REQUIRE(map.members.size() == 2);
  CHECK(map.find("a")->integer == 2);
}
