// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/why.h"

#include "bus/rules/evaluator.h"
#include "bus/rules/rule_set.h"
#include "cli/complain.h"
#include "cli/event_filter.h"
#include "cli/journal_reader.h"
#include "cli/text.h"
#include "common/core/ids.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace conga::cli {
namespace {

using bus::Pattern;
using bus::RuleSet;

struct Verdict {
  const RuleSet::Rule* rule = nullptr;
  bool matches = false;
  bus::Nearness nearness;
  std::string why;  ///< If it does not match.
};

/// The event's msgpack, from the journal.
Result<std::string> find_event(Files& files, const std::string& journal, const Uuid& id) {
  std::string found;
  std::atomic<bool> stop{false};
  JournalReader reader([&](const JournalEntry& entry) {
    if (!entry.view || entry.view->id != id) return;
    found = std::string(entry.view->bytes);
    stop = true;
  });
  reader.stop_when(stop);
  const auto scan = read_journal(files, journal, reader);
  if (!found.empty()) return found;
  if (!scan) return scan.failure();
  return fail(Fault::Permanent, journal + ": holds no event " + id.text(), "NotFound");
}

Result<std::string> event_of(Files& files, const WhyOptions& options) {
  const auto id = Uuid::parse(options.event);
  if (id) return find_event(files, options.journal, *id);
  const auto text = text_or_file(options.event, "the event");
  if (!text) return text.failure();
  auto bytes = json_to_msgpack(*text);
  if (!bytes) return fail(Fault::Permanent, "the event: " + bytes.error().what);
  return bytes;
}

Verdict judge(const RuleSet::Rule& rule, const Value& event) {
  std::vector<bus::PatternFault> none;
  const auto pattern = Pattern::parse(bus::to_document(Value::trusted(rule.pattern)), none);
  Verdict verdict;
  verdict.rule = &rule;
  if (!pattern) return verdict;  // a RuleSet holds no rule whose pattern is faulty
  verdict.matches = rule.enabled && bus::evaluate(*pattern, event);
  if (verdict.matches) return verdict;
  verdict.nearness = bus::nearness(*pattern, event);
  verdict.why = rule.enabled ? bus::explain(*pattern, event) : "the rule is disabled";
  return verdict;
}

/// Matches first, then the nearest misses; of equals in the order of the files.
std::vector<Verdict> judge_all(const RuleSet& rules, const std::string& only, const Value& event) {
  std::vector<Verdict> verdicts;
  for (const RuleSet::Rule& rule : rules.rules()) {
    if (only.empty() || rule.name == only) verdicts.push_back(judge(rule, event));
  }
  std::ranges::stable_sort(verdicts, [](const Verdict& one, const Verdict& other) {
    if (one.matches != other.matches) return one.matches;
    return one.nearness < other.nearness;
  });
  return verdicts;
}

void show(const Verdict& verdict, Screen& screen, const Look& look) {
  const RuleSet::Rule& rule = *verdict.rule;
  if (look.json) {
    std::string line;
    Packer packer(line);
    packer.map(7).key("rule").string(rule.name).key("file").string(rule.file);
    packer.key("line").unsigned_integer(rule.line).key("matches").boolean(verdict.matches);
    packer.key("missed").unsigned_integer(verdict.nearness.missed);
    packer.key("satisfied").unsigned_integer(verdict.nearness.satisfied);
    packer.key("why").string(verdict.why);
    screen.print(to_json(Value::trusted(line)) + "\n");
    return;
  }
  screen.print(printable(rule.file) + ":" + std::to_string(rule.line) + ": "
               + paint(look, Colour::Bold, printable(rule.name)) + ": "
               + (verdict.matches ? paint(look, Colour::Green, "matches")
                                  : paint(look, Colour::Yellow, "does not match"))
               + "\n");
  std::string_view why = verdict.why;
  while (!why.empty()) {
    const std::size_t end = why.find('\n');
    screen.print("    " + printable(why.substr(0, end)) + "\n");
    why.remove_prefix(end == std::string_view::npos ? why.size() : end + 1);
  }
}

}  // namespace

std::string fault_of(const WhyOptions& options) {
  if (Uuid::parse(options.event) && options.journal.empty()) {
    return "why looks for an event id in a journal: say --journal DIR, or give the event as @FILE";
  }
  return "";
}

ExitCode explain_event(Files& files, const WhyOptions& options, Screen& screen, Look look) {
  const auto rules = RuleSet::load(options.rules);
  if (!rules) return complain(screen, rules.error().what);
  const auto bytes = event_of(files, options);
  if (!bytes) return complain(screen, bytes.error().what);
  const Value event = Value::trusted(*bytes);
  if (!event.is_map()) return complain(screen, "the event: expected a JSON object");
  const std::vector<Verdict> verdicts = judge_all(*rules, options.rule, event);
  if (verdicts.empty() && !options.rule.empty()) {
    return complain(screen, "no rule is called " + options.rule);
  }
  for (const Verdict& verdict : verdicts) show(verdict, screen, look);
  const bool any = std::ranges::any_of(verdicts, &Verdict::matches);
  return any ? ExitCode::Done : ExitCode::Refused;
}

}  // namespace conga::cli
