// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_stats.h"

#include "bus/sidecar/link.h"
#include "bus/sidecar/pseudo_targets.h"
#include "cli/archive.h"
#include "cli/complain.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <set>

namespace conga::cli {
namespace {

constexpr Duration kDay = std::chrono::hours(24);

/// What is said of a rule.
struct Row {
  std::string name;
  Seen seen;
  std::string remark;  ///< Empty: all is well.
};

std::string place_of(const bus::RuleSet::Rule& rule) {
  return rule.file + ":" + std::to_string(rule.line);
}

/// Why the journal may know nothing of the rule, if there is a reason.
std::string remark_of(const bus::RuleSet::Rule& rule, const Seen& seen, const std::string& window) {
  if (!rule.enabled) return "disabled (" + place_of(rule) + ")";
  if (rule.targets.empty()) return "topics only: conga rules list counts its matches";
  if (seen.count == 0) return "nothing in " + window + " (" + place_of(rule) + ")";
  return "";
}

std::vector<Row> rows_of(const bus::RuleSet& rules,
                         const RuleStats& stats,
                         const std::string& window) {
  std::vector<Row> rows;
  std::set<std::string> known;
  for (const bus::RuleSet::Rule& rule : rules.rules()) {
    const auto found = stats.rules().find(rule.name);
    const Seen seen = found == stats.rules().end() ? Seen{} : found->second;
    rows.push_back({.name = rule.name, .seen = seen, .remark = remark_of(rule, seen, window)});
    known.insert(rule.name);
  }
  for (const auto& [name, seen] : stats.rules()) {
    if (known.contains(name)) continue;
    rows.push_back({.name = name, .seen = seen, .remark = "not in the rules any more"});
  }
  return rows;
}

std::string time_text(const Seen& seen) {
  constexpr std::size_t kSeconds = std::string_view("2026-11-23T10:00:00").size();
  return seen.last == WallTime() ? "-" : format_rfc3339(seen.last).substr(0, kSeconds);
}

std::string text_of(const std::vector<Row>& rows, const RuleStats& stats, const Look& look) {
  Table table({"RULE", "EVENTS", "LAST MATCH", ""});
  for (const Row& row : rows) {
    table.add({Cell{.text = printable(row.name)},
               Cell{.text = std::to_string(row.seen.count), .right = true},
               Cell{.text = time_text(row.seen), .colour = Colour::Dim},
               Cell{.text = printable(row.remark), .colour = Colour::Yellow}});
  }
  std::string text = table.text(look);
  if (stats.unmatched().empty()) return text;
  Table unmatched({"NO RULE WANTED", "", "EVENTS", "LAST"});
  for (const auto& [what, seen] : stats.unmatched()) {
    if (seen.count == 0) continue;
    unmatched.add({Cell{.text = printable(what.first)},
                   Cell{.text = printable(what.second), .colour = Colour::Cyan},
                   Cell{.text = std::to_string(seen.count), .right = true},
                   Cell{.text = time_text(seen), .colour = Colour::Dim}});
  }
  return unmatched.empty() ? text : text + "\n" + unmatched.text(look);
}

void pack_seen(Packer& packer, const Seen& seen) {
  packer.key("events").unsigned_integer(seen.count).key("last");
  seen.last == WallTime() ? packer.null() : packer.string(format_rfc3339(seen.last));
}

std::string json_of(const std::vector<Row>& rows, const RuleStats& stats) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(2).key("rules").array(rows.size());
  for (const Row& row : rows) {
    pack_seen(packer.map(4).key("rule").string(row.name), row.seen);
    packer.key("remark").string(row.remark);
  }
  packer.key("unmatched").array(stats.unmatched().size());
  for (const auto& [what, seen] : stats.unmatched()) {
    packer.map(4).key("source").string(what.first).key("detail-type").string(what.second);
    pack_seen(packer, seen);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

}  // namespace

void RuleStats::count(Seen& seen, WallTime when) const {
  if (when >= since_) ++seen.count;
  seen.last = std::max(seen.last, when);
}

void RuleStats::add(const JournalEntry& entry) {
  if (!is_archived(entry)) return;
  const WallTime when = entry.event.ingested;
  if (!oldest_) oldest_ = when;
  std::set<std::string> matched;
  for (const bus::TargetName& target : entry.targets) {
    if (!bus::is_pseudo_target(target.target)) matched.insert(target.rule);
  }
  for (const std::string& rule : matched) count(rules_[rule], when);
  if (!matched.empty() || entry.view->source.starts_with(bus::kOwnSourcePrefix)) return;
  count(unmatched_[{std::string(entry.view->source), std::string(entry.view->detail_type)}], when);
}

ExitCode show_stats(
    Files& files, const RulesOptions& options, WallTime now, Screen& screen, Look look) {
  const auto rules = bus::RuleSet::load(options.files);
  if (!rules) return complain(screen, rules.error().what);
  const Duration window = options.since.value_or(kDay);
  RuleStats stats(now - window);
  JournalReader reader([&stats](const JournalEntry& entry) { stats.add(entry); });
  const auto scan = read_journal(files, options.journal, reader);
  if (!scan) return complain(screen, scan.error().what);
  const std::vector<Row> rows = rows_of(*rules, stats, format_duration(window));
  if (look.json) {
    screen.print(json_of(rows, stats));
    return ExitCode::Done;
  }
  screen.print(text_of(rows, stats, look));
  if (!stats.oldest() || *stats.oldest() > now - window) {
    screen.note("the journal begins "
                + (stats.oldest() ? "at " + format_rfc3339(*stats.oldest()) : "with nothing")
                + ": it does not reach back " + format_duration(window) + "\n");
  }
  return ExitCode::Done;
}

}  // namespace conga::cli
