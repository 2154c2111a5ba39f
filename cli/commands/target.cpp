// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/target.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>

namespace conga::cli {

Target::Target(ClientSettings settings, TargetOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void Target::begin(const Time& now) {
  std::string arguments;
  Packer packer(arguments);
  const std::string& by = settings().by;
  packer.map(1 + (options_.rule.empty() ? 0U : 1U) + (by.empty() ? 0U : 1U));
  packer.key("target").string(options_.name);
  if (!by.empty()) packer.key("by").string(by);
  if (!options_.rule.empty()) packer.key("rule").string(options_.rule);
  const bool pauses = options_.action == TargetOptions::Action::Pause;
  ask(now, pauses ? "target.pause" : "target.resume", std::move(arguments));
}

void Target::answered(const Time& /*now*/, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  if (look_.json) {
    screen().print(to_json(result) + "\n");
    return finish(ExitCode::Done);
  }
  const Value targets = result.find("targets").value_or(Value());
  for (const Value& target : targets.elements()) {
    const auto paused = target.find("paused");
    screen().print(std::string(paused && paused->boolean() == true ? "paused " : "resumed ")
                   + text_of(target, "target") + " of rule " + text_of(target, "rule") + "\n");
  }
  finish(ExitCode::Done);
}

}  // namespace conga::cli
