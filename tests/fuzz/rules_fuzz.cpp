// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the pattern parser and the matcher. Input: a JSON pattern, a zero byte, an event as
// msgpack or, if it is none, as JSON. Beyond not crashing: the matcher agrees with the evaluator
// where the event is small enough for it, and JSON is matched as the msgpack that it becomes.

#include "bus/rules/evaluator.h"
#include "bus/rules/matcher.h"
#include "common/config/document.h"
#include "common/core/check.h"
#include "common/wire/event/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using conga::Value;
using conga::bus::Matcher;
using conga::bus::Pattern;

/// What the evaluator can be asked without its products of array sizes getting out of hand.
constexpr std::size_t kSmall = 64;

struct Found {
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
};

/// What the matcher finds, from msgpack; the evaluator must find the same.
void match(const Pattern& pattern, const Value& event, Found& found) {
  const Matcher matcher = Matcher::compile({&pattern, 1});
  matcher.match(event, found.scratch, found.matches);
  if (event.bytes().size() > kSmall) return;
  CONGA_CHECK(conga::bus::evaluate(pattern, event) == !found.matches.empty(),
              "matcher and evaluator must agree");
}

/// From JSON the matcher finds the same as from the msgpack that it becomes, or refuses it alike.
void match_json(const Pattern& pattern, std::string_view json) {
  const auto packed = conga::json_to_msgpack(json);
  const bool valid = packed && Value::trusted(*packed).is_map();
  Found by_msgpack;
  if (valid) match(pattern, Value::trusted(*packed), by_msgpack);
  Found by_json;
  const Matcher matcher = Matcher::compile({&pattern, 1});
  const auto matched = matcher.match_json(json, by_json.scratch, by_json.matches);
  CONGA_CHECK(matched.has_value() == valid, "JSON must be refused alike");
  CONGA_CHECK(by_json.matches == by_msgpack.matches, "JSON and msgpack must match alike");
}

void parse_yaml_pattern(std::string_view text) {
  const auto document = conga::parse_yaml(text, "fuzz");
  if (!document) return;
  std::vector<conga::bus::PatternFault> faults;
  const bool valid = Pattern::parse(*document, faults).has_value();
  CONGA_CHECK(valid == faults.empty(), "a pattern is valid or has faults");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  const std::string_view text = bytes.substr(0, end);
  parse_yaml_pattern(text);
  const auto pattern = Pattern::parse_json(text);
  if (!pattern || end == std::string_view::npos) return 0;
  const std::string_view rest = bytes.substr(end + 1);
  if (const auto event = Value::parse(rest)) {
    Found found;
    if (event->is_map()) match(*pattern, *event, found);
    return 0;
  }
  match_json(*pattern, rest);
  return 0;
}
