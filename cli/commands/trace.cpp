// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/trace.h"

#include "cli/flow.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>

namespace conga::cli {

Trace::Trace(ClientSettings settings, std::string subject, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), subject_(std::move(subject)), look_(look) {}

void Trace::begin(const Time& now) {
  std::string arguments;
  Packer(arguments).map(1).key("id").string(subject_);
  ask(now, "trace", std::move(arguments));
}

void Trace::answered(const Time& /*now*/, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  const auto events = read_flow(result);
  if (events.empty()) {
    fail_with(ExitCode::Refused,
              "the journal holds no event with the id or correlation-id '" + subject_
                  + "'; it may be older than the journal keeps, or was never accepted");
    return;
  }
  const auto truncated = result.find("truncated");
  if (!look_.json && truncated && truncated->boolean().value_or(false)) {
    screen().note("conga: the flow is longer than one answer holds; these are its first events\n");
  }
  screen().print(look_.json ? to_json(result) + "\n" : draw_flow(events, look_));
  finish(ExitCode::Done);
}

}  // namespace conga::cli
