// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/trace.h"

#include "cli/flow.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>

namespace conga::cli {

namespace {

/// A flow that is over may go on: what a service makes of its last event is put a moment later.
constexpr Duration kPause = std::chrono::milliseconds(500);

}  // namespace

Trace::Trace(ClientSettings settings, TraceOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void Trace::begin(const Time& now) {
  ask_for_flow(now);
}

void Trace::turn(const Time& now) {
  if (ask_at_ && now.steady >= *ask_at_) ask_for_flow(now);
}

void Trace::ask_for_flow(const Time& now) {
  ask_at_.reset();
  std::string arguments;
  Packer(arguments).map(1).key("id").string(options_.subject);
  ask(now, "trace", std::move(arguments));
}

void Trace::answered(const Time& now, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  const auto events = read_flow(result);
  if (options_.follow && !is_quiet(events)) {
    ask_at_ = now.steady + kPause;
    return;
  }
  if (events.empty()) {
    fail_with(ExitCode::Refused,
              "the journal holds no event with the id or correlation-id '" + options_.subject
                  + "'; it may be older than the journal keeps, or was never accepted");
    return;
  }
  show(result, events);
  finish(ExitCode::Done);
}

/// Twice the same, and nothing of it pending. A flow that has not begun is waited for.
bool Trace::is_quiet(const std::vector<FlowEvent>& events) {
  const std::size_t before = std::exchange(events_, is_over(events) ? events.size() : 0);
  return events_ != 0 && events_ == before;
}

void Trace::show(const Value& result, const std::vector<FlowEvent>& events) {
  const auto truncated = result.find("truncated");
  if (!look_.json && truncated && truncated->boolean().value_or(false)) {
    screen().note("conga: the flow is longer than one answer holds; these are its first events\n");
  }
  if (look_.json) {
    screen().print(to_json(result) + "\n");
  } else {
    screen().print(options_.mermaid ? mermaid_flow(events) : draw_flow(events, look_));
  }
}

}  // namespace conga::cli
