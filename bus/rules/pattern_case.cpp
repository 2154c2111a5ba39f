// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/pattern_case.h"

#include "bus/rules/evaluator.h"
#include "bus/rules/matcher.h"
#include "common/wire/event/json.h"

#include <vector>

namespace conga::bus {
namespace {

struct Case {
  Pattern pattern;
  std::string event;  ///< msgpack, a map.
};

Result<Case> read_case(std::string_view pattern_json, std::string_view event_json) {
  auto pattern = Pattern::parse_json(pattern_json);
  if (!pattern) {
    return fail(Fault::Permanent, "the pattern: " + pattern.error().what, "InvalidPattern");
  }
  auto event = json_to_msgpack(event_json, kJsonLimits);
  if (!event) return fail(Fault::Permanent, "the event: " + event.error().what, "InvalidEvent");
  if (!Value::trusted(*event).is_map()) {
    return fail(Fault::Permanent, "the event: expected an object", "InvalidEvent");
  }
  return Case{std::move(*pattern), std::move(*event)};
}

bool decide(const Case& one) {
  const Matcher matcher = Matcher::compile({&one.pattern, 1});
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  matcher.match(Value::trusted(one.event), scratch, matches);
  return !matches.empty();
}

}  // namespace

std::string test_case(std::string_view pattern_json, std::string_view event_json) {
  const auto one = read_case(pattern_json, event_json);
  if (!one) return "invalid: " + one.error().what;
  return decide(*one) ? "true" : "false";
}

std::string explain_case(std::string_view pattern_json, std::string_view event_json) {
  const auto one = read_case(pattern_json, event_json);
  if (!one) return "invalid: " + one.error().what;
  if (decide(*one)) return "true";
  return "false: " + explain(one->pattern, Value::trusted(one->event));
}

}  // namespace conga::bus
