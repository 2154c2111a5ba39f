// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules.h"

#include "cli/describe.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>

namespace conga::cli {
namespace {

/// `service payment`, `topic fares`; whatever else it is as JSON.
std::string target_text(const Value& target) {
  for (const std::string_view kind : {"service", "topic"}) {
    const std::string name = text_of(target, kind);
    if (!name.empty()) return std::string(kind) + " " + name;
  }
  return printable(to_json(target));
}

}  // namespace

std::string fault_of(const RulesOptions& options) {
  if (options.action != RulesOptions::Action::Test) return "";
  if (!options.cases.empty() || !options.pattern.empty()) return "";
  return "rules test: give --pattern and --event, or --cases";
}

std::string list_rules(const Value& answer, const Look& look) {
  std::string out;
  const Value rules = answer.find("rules").value_or(Value());
  for (const Value& rule : rules.elements()) {
    out += paint(look, Colour::Bold, text_of(rule, "name")) + "\n";
    const auto pattern = rule.find("pattern");
    if (pattern) out += "    " + printable(to_json(*pattern)) + "\n";
    const Value targets = rule.find("targets").value_or(Value());
    for (const Value& target : targets.elements()) {
      out += "    → " + paint(look, Colour::Cyan, target_text(target)) + "\n";
    }
  }
  return out + counted(rules.size(), "rule") + "\n";
}

Rules::Rules(ClientSettings settings, RulesOptions::Action action, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), action_(action), look_(look) {}

void Rules::begin(const Time& now) {
  std::string none;
  Packer(none).map(0);
  ask(now, action_ == RulesOptions::Action::Reload ? "rules.reload" : "rules.list", none);
}

void Rules::answered(const Time& /*now*/, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  if (look_.json) {
    screen().print(to_json(result) + "\n");
  } else if (action_ == RulesOptions::Action::Reload) {
    screen().print("reloaded\n" + describe(result, look_));
  } else {
    screen().print(list_rules(result, look_));
  }
  finish(ExitCode::Done);
}

}  // namespace conga::cli
