// SPDX-License-Identifier: Apache-2.0
//
// Matcher against Evaluator, on rule sets and events made at random from few names and values, so
// that they meet often: in arrays, in arrays of arrays, under repeated and dotted keys.

#include "bus/rules/evaluator.h"
#include "bus/rules/matcher.h"
#include "common/wire/event/json.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace {

using conga::Value;
using conga::bus::Matcher;
using conga::bus::Pattern;

template <std::size_t size>
std::string one_of(const std::array<const char*, size>& choices) {
  return choices.at(*rc::gen::inRange<std::size_t>(0, size));
}

int below(int bound) {
  return *rc::gen::inRange(0, bound);
}

std::string name() {
  return one_of<7>({"a", "b", "c", "a.b", "b.c", "", "\xF0\x9F\x98\x80"});
}

std::string scalar() {
  return one_of<19>({"1",
                     "2",
                     "1.0",
                     "-3",
                     "2.5",
                     "18446744073709551615",
                     "1e400",
                     "true",
                     "false",
                     "null",
                     R"("")",
                     R"("a")",
                     R"("ab")",
                     R"("AB")",
                     R"("abcab")",
                     R"("10.0.0.7")",
                     R"("2001:db8::1")",
                     R"("stra\u00dfe")",
                     R"("STRASSE")"});
}

std::string condition() {
  return one_of<46>({"1",
                     "2",
                     "2.5",
                     "1e400",
                     "18446744073709551615",
                     "true",
                     "null",
                     R"("a")",
                     R"("ab")",
                     R"({"exactly":"ab"})",
                     R"({"prefix":"a"})",
                     R"({"prefix":"ab"})",
                     R"({"prefix":""})",
                     R"({"suffix":"b"})",
                     R"({"suffix":"cab"})",
                     R"({"suffix":""})",
                     R"({"equals-ignore-case":"Ab"})",
                     R"({"equals-ignore-case":"stra\u00dfe"})",
                     R"({"prefix":{"equals-ignore-case":"A"}})",
                     R"({"suffix":{"equals-ignore-case":"aB"}})",
                     R"({"suffix":{"equals-ignore-case":"\u00dfE"}})",
                     R"({"wildcard":"a*"})",
                     R"({"wildcard":"a*c*b"})",
                     R"({"wildcard":"ab"})",
                     R"({"wildcard":"*"})",
                     R"({"numeric":[">",0]})",
                     R"({"numeric":["<",2.5]})",
                     R"({"numeric":["=",1]})",
                     R"({"numeric":[">=",1,"<",2.5]})",
                     R"({"cidr":"10.0.0.0/8"})",
                     R"({"cidr":"10.0.0.7/32"})",
                     R"({"cidr":"0.0.0.0/0"})",
                     R"({"cidr":"2001:db8::/32"})",
                     R"({"exists":true})",
                     R"({"exists":false})",
                     R"({"exists":false})",
                     R"({"exists":false})",
                     R"({"anything-but":"a"})",
                     R"({"anything-but":["a","ab"]})",
                     R"({"anything-but":[1,2]})",
                     R"({"anything-but":1})",
                     R"({"anything-but":{"prefix":"a"}})",
                     R"({"anything-but":{"suffix":["b","x"]}})",
                     R"({"anything-but":{"equals-ignore-case":"AB"}})",
                     R"({"anything-but":{"wildcard":"a*"}})",
                     R"({"anything-but":{"wildcard":["*a","*b"]}})"});
}

std::string pattern_object(int depth);

std::string conditions() {
  std::string list = condition();
  for (int more = below(3); more > 0; --more) list += "," + condition();
  return "[" + list + "]";
}

std::string pattern_member(int depth) {
  const int kind = below(8);
  if (kind == 0 && depth > 0) {
    return R"("$or":[)" + pattern_object(depth - 1) + "," + pattern_object(depth - 1) + "]";
  }
  if (kind < 4 && depth > 0) return '"' + name() + "\":" + pattern_object(depth - 1);
  return '"' + name() + "\":" + conditions();
}

std::string pattern_object(int depth) {
  std::string members = pattern_member(depth);
  for (int more = below(4); more > 0; --more) members += "," + pattern_member(depth);
  return "{" + members + "}";
}

std::string event_object(int depth);

std::string event_value(int depth) {
  const int kind = below(6);
  if (kind < 2 && depth > 0) return event_object(depth - 1);
  if (kind < 4 && depth > 0) {
    std::string elements;
    for (int left = below(4); left > 0; --left) {
      elements += (elements.empty() ? "" : ",") + event_value(depth - 1);
    }
    return "[" + elements + "]";
  }
  return scalar();
}

std::string event_object(int depth) {
  std::string members;
  for (int left = below(5); left > 0; --left) {
    members += (members.empty() ? "\"" : ",\"") + name() + "\":" + event_value(depth);
  }
  return "{" + members + "}";
}

std::vector<Pattern> patterns() {
  std::vector<Pattern> made;
  for (int left = 1 + below(8); left > 0; --left) {
    const std::string json = pattern_object(2);
    auto pattern = Pattern::parse_json(json);
    RC_ASSERT(pattern.has_value());
    made.push_back(std::move(*pattern));
  }
  return made;
}

std::string event() {
  const std::string json = event_object(4);
  const auto packed = conga::json_to_msgpack(json);
  RC_ASSERT(packed.has_value());
  RC_LOG() << "event " << json << '\n';
  return *packed;
}

std::vector<Matcher::RuleIndex> match(const std::vector<Pattern>& rules, const std::string& event) {
  const Matcher matcher = Matcher::compile(rules);
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  matcher.match(Value::trusted(event), scratch, matches);
  return matches;
}

}  // namespace

TEST_CASE("the matcher agrees with the evaluator") {
  // One scratch for all, as the bus has it, so that nothing may linger from one event to the next.
  Matcher::Scratch scratch;
  CHECK(rc::check([&scratch] {
    const std::vector<Pattern> rules = patterns();
    const Matcher matcher = Matcher::compile(rules);
    for (int left = 8; left > 0; --left) {
      const std::string one = event();
      std::vector<Matcher::RuleIndex> matches;
      matcher.match(Value::trusted(one), scratch, matches);
      std::vector<Matcher::RuleIndex> expected;
      for (Matcher::RuleIndex rule = 0; rule < rules.size(); ++rule) {
        const bool hit = conga::bus::evaluate(rules[rule], Value::trusted(one));
        if (hit) expected.push_back(rule);
        // What people are told of it agrees.
        const std::string why = conga::bus::explain(rules[rule], Value::trusted(one));
        RC_ASSERT(hit == (why == "the event matches"));
        if (hit) RC_ASSERT(conga::bus::nearness(rules[rule], Value::trusted(one)).missed == 0);
      }
      RC_ASSERT(matches == expected);
    }
  }));
}

TEST_CASE("a match misses nothing, also where a field is absent from the chosen element only") {
  const auto pattern = Pattern::parse_json(R"({"b":{"a":[1],"c":[{"exists":false}]}})");
  REQUIRE(pattern);
  const auto event = conga::json_to_msgpack(R"({"b":[{"c":-3,"a":1},{"a":1}]})");
  REQUIRE(event);
  REQUIRE(conga::bus::evaluate(*pattern, Value::trusted(*event)));
  CHECK(conga::bus::nearness(*pattern, Value::trusted(*event)).missed == 0);
}

TEST_CASE("a rule's result does not depend on which other rules there are, or on their order") {
  CHECK(rc::check([] {
    const std::vector<Pattern> rules = patterns();
    const std::string one = event();
    const auto together = match(rules, one);
    std::vector<Pattern> reversed(rules.rbegin(), rules.rend());
    const auto backwards = match(reversed, one);
    for (Matcher::RuleIndex rule = 0; rule < rules.size(); ++rule) {
      const bool alone = !match({rules[rule]}, one).empty();
      const auto mirrored = static_cast<Matcher::RuleIndex>(rules.size() - 1 - rule);
      RC_ASSERT(alone == std::ranges::binary_search(together, rule));
      RC_ASSERT(alone == std::ranges::binary_search(backwards, mirrored));
    }
  }));
}

TEST_CASE("an event decides alike from msgpack and from JSON") {
  Matcher::Scratch scratch;
  CHECK(rc::check([&scratch] {
    const std::vector<Pattern> rules = patterns();
    const Matcher matcher = Matcher::compile(rules);
    const std::string json = event_object(4);
    RC_LOG() << "event " << json << '\n';
    const auto packed = conga::json_to_msgpack(json);
    RC_ASSERT(packed.has_value());
    std::vector<Matcher::RuleIndex> matches;
    RC_ASSERT(matcher.match_json(json, scratch, matches).has_value());
    RC_ASSERT(matches == match(rules, *packed));
  }));
}

TEST_CASE("JSON is refused alike whether it is matched or becomes msgpack") {
  const auto pattern = Pattern::parse_json(R"({"a":[{"exists":true}]})");
  REQUIRE(pattern.has_value());
  const Matcher matcher = Matcher::compile({&*pattern, 1});
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  const auto nested = [](int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return R"({"a":)" + std::string(count, '[') + "1" + std::string(count, ']') + "}";
  };
  for (const std::string& json : {std::string("{}"),
                                  std::string(R"({"a":1})"),
                                  std::string(R"({"a":1} )"),
                                  std::string(R"({"a":1}{)"),
                                  std::string(R"({"a":1}})"),
                                  std::string(R"({"a":01})"),
                                  std::string(R"({"a":1e400})"),
                                  std::string(R"({"a":-0})"),
                                  std::string(R"({"a":18446744073709551616})"),
                                  std::string(R"({"a":"\ud800"})"),
                                  std::string("{\"a\":\"\xff\"}"),
                                  std::string("{\"a\":\"\n\"}"),
                                  std::string(R"({"a":tru})"),
                                  std::string(R"({a:1})"),
                                  std::string(R"({"a":1,})"),
                                  std::string("[1]"),
                                  std::string("1"),
                                  std::string("nul"),
                                  std::string(" "),
                                  std::string(),
                                  nested(62),
                                  nested(63),
                                  nested(64),
                                  nested(65),
                                  nested(2000)}) {
    CAPTURE(json);
    const auto packed = conga::json_to_msgpack(json);
    const bool object = packed && Value::trusted(*packed).is_map();
    const auto matched = matcher.match_json(json, scratch, matches);
    CHECK(matched.has_value() == object);
    if (matched && object) CHECK(matches == match({*pattern}, *packed));
    if (!matched && !packed) CHECK(matched.error().what == packed.error().what);
  }
}

TEST_CASE("a choice among large arrays takes no time that multiplies") {
  const auto pattern =
      Pattern::parse_json(R"({"a":{"b":[{"exists":true}],"c":[{"exists":true}],"d":["x"]},)"
                          R"("e":{"f":[{"exists":true}],"g":["x"]}})");
  REQUIRE(pattern.has_value());
  std::string elements;
  for (int index = 0; index < 2000; ++index) {
    elements += (index == 0 ? "" : ",") + std::string(R"({"b":1,"c":2,"f":3})");
  }
  const std::string list = "[" + elements + "]";
  const auto event =
      conga::json_to_msgpack(R"({"a":)" + list + R"(,"e":)" + list + R"(,"a.d":"x","e.g":"x"})");
  REQUIRE(event.has_value());
  CHECK(match({*pattern}, *event) == std::vector<Matcher::RuleIndex>{0});
}
