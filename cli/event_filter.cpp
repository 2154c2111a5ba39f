// SPDX-License-Identifier: Apache-2.0

#include "cli/event_filter.h"

#include "bus/rules/matcher.h"
#include "bus/rules/pattern.h"
#include "cli/line_source.h"

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace conga::cli {
namespace {

/// A matcher of one pattern with its working memory; shared, because std::function copies.
struct OnePattern {
  bus::Matcher matcher;
  bus::Matcher::Scratch scratch;
  std::vector<bus::Matcher::RuleIndex> matches;
};

}  // namespace

Result<std::string> text_or_file(const std::string& text, std::string_view name) {
  if (!text.starts_with('@')) return text;
  auto content = read_text(text.substr(1));
  if (!content) return fail(Fault::Permanent, std::string(name) + ": " + content.error().what);
  return content;
}

Result<EventFilter> filter_of_pattern(const std::string& pattern) {
  const auto text = text_or_file(pattern, "--pattern");
  if (!text) return text.failure();
  const auto parsed = bus::Pattern::parse_json(*text);
  if (!parsed) return fail(Fault::Permanent, "--pattern: " + parsed.error().what);
  auto one = std::make_shared<OnePattern>(OnePattern{
      .matcher = bus::Matcher::compile(std::span(&*parsed, 1)), .scratch = {}, .matches = {}});
  return EventFilter([one = std::move(one)](const Value& event) {
    if (!event.is_map()) return false;
    one->matcher.match(event, one->scratch, one->matches);
    return !one->matches.empty();
  });
}

}  // namespace conga::cli
