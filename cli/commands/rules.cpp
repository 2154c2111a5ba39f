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

std::string json_text(const Value& map, std::string_view key) {
  const auto value = map.find(key);
  return value ? printable(to_json(*value)) : std::string();
}

/// `8 retries within 1h, backoff 200ms x2 up to 30s, jitter full, ack-timeout 15s`, and the limits.
std::string policy_text(const Value& target) {
  const auto retry = target.find("retry");
  if (!retry) return "";
  std::string text =
      json_text(*retry, "max-attempts") + " retries within " + text_of(*retry, "max-age");
  if (const auto backoff = retry->find("backoff")) {
    text += ", backoff " + text_of(*backoff, "initial") + " x" + json_text(*backoff, "factor")
            + " up to " + text_of(*backoff, "max") + ", jitter " + text_of(*backoff, "jitter");
  }
  text += ", ack-timeout " + text_of(target, "ack-timeout");
  if (target.find("ordering")) text += ", ordering " + text_of(target, "ordering");
  if (target.find("start")) text += ", start " + text_of(target, "start");
  for (const std::string_view limit : {"max-in-flight", "rate-limit", "batch-size"}) {
    if (target.find(limit)) text += ", " + std::string(limit) + " " + json_text(target, limit);
  }
  return text;
}

/// The name, and what it keeps for how long.
std::string archive_text(const Value& archive, const Look& look) {
  const auto holds = [&archive](std::string_view key) {
    const auto value = archive.find(key);
    return value && !value->is_null();
  };
  std::string keeps = "for ever";
  if (holds("retention-age")) keeps = "for " + text_of(archive, "retention-age");
  if (holds("retention-size")) {
    keeps += ", at most " + json_text(archive, "retention-size") + " bytes";
  }
  return paint(look, Colour::Bold, text_of(archive, "name")) + "\n    keeps "
         + json_text(archive, "pattern") + " " + keeps + "\n";
}

/// `, 12 matches`, `, disabled`, `, replay`
std::string remarks_of(const Value& rule) {
  std::string text;
  if (rule.find("matches")) text += ", " + counted(count_of(rule, "matches"), "event");
  const auto holds = [&rule](std::string_view key) {
    const auto value = rule.find(key);
    return value && value->boolean().value_or(false);
  };
  if (rule.find("enabled") && !holds("enabled")) text += ", disabled";
  if (holds("replay")) text += ", replay";
  return text;
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
    out += paint(look, Colour::Bold, text_of(rule, "name")) + remarks_of(rule) + "\n";
    const auto pattern = rule.find("pattern");
    if (pattern) out += "    " + printable(to_json(*pattern)) + "\n";
    const Value targets = rule.find("targets").value_or(Value());
    for (const Value& target : targets.elements()) {
      const std::string policy = policy_text(target);
      out += "    → " + paint(look, Colour::Cyan, target_text(target))
             + (policy.empty() ? "" : ": " + policy) + "\n";
    }
  }
  const Value expectations = answer.find("expectations").value_or(Value());
  for (const Value& expectation : expectations.elements()) {
    const auto json = [&](std::string_view key) {
      const auto pattern = expectation.find(key);
      return pattern ? printable(to_json(*pattern)) : std::string();
    };
    out += paint(look, Colour::Bold, text_of(expectation, "name")) + "\n    after " + json("after")
           + "\n    expect " + json("expect") + " within " + text_of(expectation, "within") + " by "
           + text_of(expectation, "by") + "\n";
  }
  const Value archives = answer.find("archives").value_or(Value());
  for (const Value& archive : archives.elements()) out += archive_text(archive, look);
  out += counted(rules.size(), "rule");
  if (expectations.size() > 0) out += ", " + counted(expectations.size(), "expectation");
  if (archives.size() > 0) out += ", " + counted(archives.size(), "archive");
  return out + "\n";
}

Rules::Rules(ClientSettings settings, RulesOptions::Action action, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), action_(action), look_(look) {}

void Rules::begin(const Time& now) {
  ask(now, action_ == RulesOptions::Action::Reload ? "rules.reload" : "rules.list");
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
