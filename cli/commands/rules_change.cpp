// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_change.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace conga::cli {
namespace {

using Action = RulesOptions::Action;

/// What counts of each rule, expectation and archive, as JSON, by name. Counts and places do not.
std::map<std::string, std::string> essence_of(const Value& answer) {
  std::map<std::string, std::string> essence;
  for (const std::string_view list : {"rules", "expectations", "archives"}) {
    const Value entries = answer.find(list).value_or(Value());
    for (const Value& entry : entries.elements()) {
      std::string text;
      for (const auto& [key, value] : entry.members()) {
        if (key == "matches" || key == "file" || key == "line") continue;
        text += std::string(key) + "=" + to_json(value) + "\n";
      }
      const std::string kind(list.substr(0, list.size() - 1));
      essence[kind + " " + text_of(entry, "name")] = text;
    }
  }
  return essence;
}

}  // namespace

RulesChanges changes_between(const Value& now, const Value& then) {
  const auto old_ones = essence_of(now);
  const auto new_ones = essence_of(then);
  RulesChanges changes;
  for (const auto& [name, text] : new_ones) {
    const auto old = old_ones.find(name);
    if (old == old_ones.end()) changes.added.push_back(name);
    if (old != old_ones.end() && old->second != text) changes.changed.push_back(name);
  }
  for (const auto& each : old_ones) {
    if (!new_ones.contains(each.first)) changes.removed.push_back(each.first);
  }
  return changes;
}

RulesChange::RulesChange(
    ClientSettings settings, RulesOptions options, std::string text, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen),
      options_(std::move(options)),
      text_(std::move(text)),
      look_(look) {}

void RulesChange::begin(const Time& now) {
  if (options_.action != Action::Versions) {
    ask(now, "rules.list");
    return;
  }
  step_ = Step::Versions;
  std::string arguments;
  if (options_.version != 0) {
    Packer(arguments).map(1).key("version").unsigned_integer(options_.version);
  }
  ask(now, "rules.versions", std::move(arguments));
}

void RulesChange::answered(const Time& now, const Answer& answer) {
  switch (std::exchange(step_, step_ == Step::Before ? Step::Change : Step::After)) {
    case Step::Before:
      before_ = answer.result;
      return change(now);
    case Step::Change:
      change_ = answer.result;
      ask(now, "rules.list");
      return;
    case Step::After:
      return report(Value::trusted(answer.result));
    case Step::Versions:
      return show_versions(Value::trusted(answer.result));
  }
}

void RulesChange::change(const Time& now) {
  const bool applies = options_.action == Action::Apply;
  std::string arguments;
  Packer packer(arguments);
  packer.map(applies && options_.dry_run ? 3 : 2).key("by").string(settings().by);
  if (applies) {
    packer.key("text").string(text_);
    if (options_.dry_run) packer.key("dry-run").boolean(true);
  } else {
    packer.key("version").unsigned_integer(options_.version);
  }
  ask(now, applies ? "rules.apply" : "rules.rollback", std::move(arguments));
}

/// Of a dry run, which the bus ends so.
bool RulesChange::refused(const Time& /*now*/, const Answer& answer) {
  if (answer.code != "DryRun") return false;
  screen().print(look_.json ? "{\"dry-run\":true}\n" : printable(answer.message) + "\n");
  finish(ExitCode::Done);
  return true;
}

void RulesChange::report(const Value& after) {
  const RulesChanges changes = changes_between(Value::trusted(before_), after);
  const Value change = Value::trusted(change_);
  if (look_.json) {
    std::string bytes;
    Packer packer(bytes);
    packer.map(5).key("generation").unsigned_integer(count_of(change, "generation"));
    packer.key("rules").unsigned_integer(count_of(change, "rules"));
    packer.key("added").strings(changes.added);
    packer.key("removed").strings(changes.removed);
    packer.key("changed").strings(changes.changed);
    screen().print(to_json(Value::trusted(bytes)) + "\n");
    return finish(ExitCode::Done);
  }
  const auto tell = [this](Colour colour, char sign, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      screen().print(paint(look_, colour, std::string(1, sign) + " " + printable(name)) + "\n");
    }
  };
  tell(Colour::Green, '+', changes.added);
  tell(Colour::Red, '-', changes.removed);
  tell(Colour::Yellow, '~', changes.changed);
  screen().print((changes.empty() ? "no rule differs; " : "")
                 + counted(count_of(change, "rules"), "rule") + " at work, generation "
                 + std::to_string(count_of(change, "generation")) + "\n");
  finish(ExitCode::Done);
}

void RulesChange::show_versions(const Value& answer) {
  const Value versions = answer.find("versions").value_or(Value());
  const std::uint64_t current = count_of(answer, "current");
  if (look_.json) {
    screen().print(to_json(answer) + "\n");
  } else if (options_.version != 0) {
    screen().print(std::string(answer.find("text").value_or(Value()).string().value_or("")));
  } else if (versions.size() == 0) {
    screen().note("no versions yet: conga rules apply FILE makes the first\n");
  } else {
    Table table({"VERSION", "TIME", "BY", ""});
    for (const Value& version : versions.elements()) {
      const std::uint64_t number = count_of(version, "version");
      const std::string note = text_of(version, "note");
      const std::string now = number == current ? "at work" : "";
      table.add({{.text = std::to_string(number), .right = true},
                 {.text = text_of(version, "time").substr(0, 19), .colour = Colour::Dim},
                 {.text = text_of(version, "by")},
                 {.text = now + (now.empty() || note.empty() ? "" : ", ") + note}});
    }
    screen().print(table.text(look_));
    if (current == 0) screen().note("the rules file was edited by hand since the last one\n");
  }
  finish(ExitCode::Done);
}

}  // namespace conga::cli
