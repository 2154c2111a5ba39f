// SPDX-License-Identifier: Apache-2.0
//
// The conformance suite: thousands of pattern cases as event-ruler, the engine of Amazon
// EventBridge, decided them, each run through the Evaluator, and through the Matcher from msgpack
// and from JSON.

#include "bus/rules/evaluator.h"
#include "bus/rules/matcher.h"
#include "bus/rules/pattern_case.h"
#include "common/wire/event/json.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

namespace {

using conga::Value;
using conga::bus::Matcher;

std::string by_evaluator(std::string_view pattern_json, std::string_view event_json) {
  const auto pattern = conga::bus::Pattern::parse_json(pattern_json);
  const auto event = conga::json_to_msgpack(event_json, conga::bus::kJsonLimits);
  if (!pattern || !event) return "invalid";
  return conga::bus::evaluate(*pattern, Value::trusted(*event)) ? "true" : "false";
}

std::string by_json(std::string_view pattern_json, std::string_view event_json) {
  const auto pattern = conga::bus::Pattern::parse_json(pattern_json);
  if (!pattern) return "invalid";
  const Matcher matcher = Matcher::compile({&*pattern, 1});
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  const auto matched = matcher.match_json(event_json, scratch, matches, conga::bus::kJsonLimits);
  return !matched ? "invalid" : matches.empty() ? "false" : "true";
}

std::string expected(const Value& one) {
  const Value expect = *one.find("expect");
  return expect.is_string() ? std::string(*expect.string()) : *expect.boolean() ? "true" : "false";
}

/// How many cases `name` holds; every one that is decided otherwise fails the test.
std::size_t run_file(const std::string& name) {
  std::ifstream file(std::string(CONFORMANCE_DIR) + "/" + name);
  REQUIRE(file.is_open());
  std::size_t cases = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const auto packed = conga::json_to_msgpack(line);
    REQUIRE(packed.has_value());
    const Value one = Value::trusted(*packed);
    const std::string_view pattern = *one.find("pattern")->string();
    const std::string_view event = *one.find("event")->string();
    CAPTURE(cases + 1);
    CAPTURE(pattern);
    CAPTURE(event);
    const std::string decided = conga::bus::test_case(pattern, event);
    CAPTURE(decided);
    CHECK(decided.substr(0, decided.find(':')) == expected(one));
    CHECK(by_evaluator(pattern, event) == expected(one));
    CHECK(by_json(pattern, event) == expected(one));
  }
  return cases;
}

}  // namespace

TEST_CASE("the generated cases are decided as event-ruler decides them") {
  CHECK(run_file("patterns.jsonl") == 8000);
}

TEST_CASE("the named edge cases are decided as event-ruler decides them") {
  CHECK(run_file("patterns-edge.jsonl") == 466);
}
