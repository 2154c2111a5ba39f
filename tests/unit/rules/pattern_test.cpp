// SPDX-License-Identifier: Apache-2.0
//
// Which patterns are refused, and how the refusal reads. What valid ones mean is shown by
// tests/conformance.

#include "bus/rules/pattern.h"

#include "bus/rules/pattern_case.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using conga::bus::Pattern;

std::string refusal(const std::string& json) {
  const auto pattern = Pattern::parse_json(json);
  return pattern ? "accepted" : pattern.error().what;
}

}  // namespace

TEST_CASE("a refusal names the path of what is wrong") {
  CHECK(refusal(R"({"detail":{"fare":[{"numeric":["=>",5]}]}})")
        == "detail.fare[0].numeric[0]: expected \"<\", \"<=\", \"=\", \">\" or \">=\", found the "
           "text '=>'");
  CHECK(refusal(R"({"a":[1,{"prefx":"x"}]})")
            .starts_with("a[1]: unknown operator 'prefx', did you mean 'prefix'?"));
  CHECK(refusal(R"({"a":[{"wildcard":"x**"}]})")
        == "a[0].wildcard: two stars in a row; one means the same");
  CHECK(refusal(R"({"a":[{"anything-but":{"prefix":["x",""]}}]})")
            .starts_with("a[0].anything-but.prefix[1]: "));
}

TEST_CASE("all faults of a pattern are told at once") {
  const std::string what = refusal(R"({"a":[],"b":5,"c":[{"cidr":"10.0.0.0/33"}]})");
  CHECK(what.find("a: an empty list") != std::string::npos);
  CHECK(what.find("b: expected an object or a list") != std::string::npos);
  CHECK(what.find("c[0].cidr: the mask must be a number from 0 to 32") != std::string::npos);
}

TEST_CASE("a pattern from YAML says line and column") {
  const auto document = conga::parse_yaml("source: [aircraft.booking]\ndetail:\n  fare: 12\n", "f");
  REQUIRE(document.has_value());
  std::vector<conga::bus::PatternFault> faults;
  CHECK_FALSE(Pattern::parse(*document, faults).has_value());
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].line == 3);
  CHECK(faults[0].column == 9);
  CHECK(faults[0].path == "detail.fare");
}

TEST_CASE("the product of all $or is capped") {
  std::string branches;
  for (int branch = 0; branch < 40; ++branch) {
    branches += (branch == 0 ? "" : ",") + (R"({"x":[)" + std::to_string(branch) + "]}");
  }
  const std::string one = R"("$or":[)" + branches + "]";
  CHECK(refusal("{" + one + "}") == "accepted");
  CHECK(refusal("{" + one + R"(,"d":{)" + one + "}}").find("more than 1000 alternatives")
        != std::string::npos);
}

TEST_CASE("paths are ordered by UTF-16 code units") {
  CHECK(conga::bus::utf16_less("a", "b"));
  CHECK(conga::bus::utf16_less("a", "a.b"));
  CHECK_FALSE(conga::bus::utf16_less("a", "a"));
  CHECK(conga::bus::utf16_less("\xF0\x9F\x98\x80", "\xEF\xBF\xBD"));  // U+1F600, U+FFFD
  CHECK(conga::bus::utf16_less("\xC3\xA9", "\xF0\x9F\x98\x80"));
  CHECK_FALSE(conga::bus::utf16_less("\xEF\xBF\xBD", "\xF0\x9F\x98\x80"));
}

TEST_CASE("a failing case is explained with the value that was found") {
  CHECK(conga::bus::explain_case(R"({"a":[1],"b":["x"]})", R"({"a":1,"b":["y",2]})")
        == "false: no value of 'b' satisfies \"x\"; found \"y\", 2");
  CHECK(conga::bus::explain_case(
            R"({"a":{"n":[{"numeric":[">",1.5,"<=",3]},null,{"wildcard":"a*\\*"},)"
            R"({"anything-but":["b","c"]}]}})",
            R"({"a":{"n":"b"}})")
        == R"(false: no value of 'a.n' satisfies {"numeric":[">",1.5,"<=",3]} or null or )"
           R"({"wildcard":"a*\\*"} or {"anything-but":["b","c"]}; found "b")");
  CHECK(conga::bus::explain_case(R"({"a":[{"cidr":"2001:DB8::1/32"},)"
                                 R"({"prefix":{"equals-ignore-case":"Ab"}},{"exists":false},)"
                                 R"({"anything-but":{"suffix":["b","c"]}}]})",
                                 R"({"a":["b","c"]})")
        == R"(false: no value of 'a' satisfies {"cidr":"2001:db8::/32"} or )"
           R"({"prefix":{"equals-ignore-case":"ab"}} or {"exists":false} or )"
           R"({"anything-but":{"suffix":["b","c"]}}; found "b", "c")");
  CHECK(conga::bus::explain_case(R"({"a":[1]})", R"({"a":1})") == "true");
  CHECK(conga::bus::test_case(R"({"a":[1]})", "[]") == "invalid: the event: expected an object");
}
