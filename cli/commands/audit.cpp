// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/audit.h"

#include "cli/commands/redrive.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <string>
#include <utility>

namespace conga::cli {
namespace {

/// `target payment, rule charge`: without who asks, which has a column of its own.
std::string arguments_text(const Value& entry) {
  const auto packed = json_to_msgpack(text_of(entry, "arguments"));
  if (!packed) return text_of(entry, "arguments");
  std::string text;
  for (const auto& [key, value] : Value::trusted(*packed).members()) {
    if (key == "by") continue;
    const auto plain = value.string();
    text += (text.empty() ? "" : ", ") + std::string(key) + " "
            + (plain ? std::string(*plain) : to_json(value));
  }
  return printable(text);
}

/// In words what can be; else as the sidecar wrote it.
std::string outcome_text(const Value& entry) {
  const std::string outcome = text_of(entry, "outcome");
  const auto packed = json_to_msgpack(outcome);
  if (!packed) return outcome;
  const Value value = Value::trusted(*packed);
  if (value.find("task")) return printable(describe_redrive(value));
  const auto targets = value.find("targets");
  return targets ? counted(targets->size(), "target") : outcome;
}

}  // namespace

Audit::Audit(ClientSettings settings, AuditOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(options), look_(look) {}

void Audit::begin(const Time& now) {
  std::string arguments;
  Packer(arguments).map(1).key("limit").unsigned_integer(options_.limit);
  ask(now, "audit.list", std::move(arguments));
}

void Audit::answered(const Time& /*now*/, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  const Value entries = result.find("entries").value_or(Value());
  Table table({"TIME", "BY", "VERB", "ARGUMENTS", "OUTCOME"});
  for (const Value& entry : entries.elements()) {
    if (look_.json) {
      screen().print(to_json(entry) + "\n");
      continue;
    }
    table.add({{.text = text_of(entry, "time").substr(0, 19), .colour = Colour::Dim},
               {.text = text_of(entry, "by")},
               {.text = text_of(entry, "verb"), .colour = Colour::Cyan},
               {.text = arguments_text(entry)},
               {.text = outcome_text(entry)}});
  }
  if (!table.empty()) screen().print(table.text(look_));
  if (table.empty() && !look_.json) screen().note("nothing has been changed by anybody\n");
  finish(ExitCode::Done);
}

}  // namespace conga::cli
