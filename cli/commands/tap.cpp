// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/tap.h"

#include "cli/event_text.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/topics.h"

#include <utility>

namespace conga::cli {
namespace {

std::string topic_of(const TapOptions& options) {
  return options.topic.empty() ? std::string("event/") : routed_topic(options.topic);
}

}  // namespace

Tap::Tap(ClientSettings settings,
         const TapOptions& options,
         EventFilter filter,
         Screen& screen,
         Look look)
    : BusCommand(std::move(settings), screen, {topic_of(options)}),
      topic_(topic_of(options)),
      count_(options.count),
      filter_(std::move(filter)),
      look_(look) {}

void Tap::begin(const Time& /*now*/) {
  if (look_.progress && !look_.json) {
    screen().note("tapping " + topic_ + (topic_.ends_with('/') ? "…" : "") + " on "
                  + settings().subscribe + "; Ctrl-C ends\n");
  }
}

void Tap::take(const Time& /*now*/, Frame& frame) {
  // A subscription is a prefix: `topic/fares` also brings `topic/fares-old`.
  if (!topic_.ends_with('/') && frame.topic != topic_) return;
  std::string_view body = frame.body;
  while (!body.empty() && !exit_code()) {
    const auto event = Value::take(body);
    if (!event) {
      screen().note("conga: skipped what is no event on " + printable(frame.topic) + ": "
                    + event.error().what + "\n");
      return;
    }
    if (!filter_ || filter_(*event)) show(*event);
  }
}

void Tap::show(const Value& event) {
  if (look_.json) {
    screen().print(to_json(event) + "\n");
  } else if (const auto view = read_event(event.bytes())) {
    screen().print(pretty_event(*view, look_));
  } else {
    screen().print(printable(to_json(event)) + "\n");
  }
  if (++shown_ == count_) finish(ExitCode::Done);
}

}  // namespace conga::cli
