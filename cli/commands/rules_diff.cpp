// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_diff.h"

#include "bus/rules/rules_diff.h"
#include "cli/archive.h"
#include "cli/complain.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>
#include <vector>

namespace conga::cli {
namespace {

using bus::RulesDiff;
using bus::RulesDiffChange;
using bus::RulesDiffExample;

std::string example_text(const RulesDiffChange& change) {
  if (change.examples.empty()) return "";
  const RulesDiffExample& first = change.examples.front();
  return printable(first.id + " " + first.source + " " + first.detail_type);
}

std::string text_of(const RulesDiff& diff, const Look& look) {
  const std::vector<RulesDiffChange> changes = diff.changes();
  std::string text;
  if (!changes.empty()) {
    Table table({"RULE", "TARGET", "GAINED", "LOST", "RETARGETED", "EXAMPLE"});
    const auto number = [](std::uint64_t value) {
      return Cell{.text = std::to_string(value), .right = true};
    };
    for (const RulesDiffChange& change : changes) {
      table.add({Cell{.text = printable(change.rule)},
                 Cell{.text = printable(change.target)},
                 number(change.gained),
                 number(change.lost),
                 number(change.retargeted),
                 Cell{.text = example_text(change)}});
    }
    text = table.text(look);
  }
  return text + counted(diff.events(), "event") + ", " + std::to_string(diff.unchanged())
         + " deliveries the same, "
         + (changes.empty() ? "none changed" : counted(changes.size(), "target") + " changed")
         + "\n";
}

void pack(Packer& packer, const RulesDiffChange& change) {
  packer.map(6).key("rule").string(change.rule).key("target").string(change.target);
  packer.key("gained").unsigned_integer(change.gained);
  packer.key("lost").unsigned_integer(change.lost);
  packer.key("retargeted").unsigned_integer(change.retargeted);
  packer.key("examples").array(change.examples.size());
  for (const RulesDiffExample& example : change.examples) {
    packer.map(3).key("id").string(example.id).key("source").string(example.source);
    packer.key("detail-type").string(example.detail_type);
  }
}

std::string json_of(const RulesDiff& diff) {
  const std::vector<RulesDiffChange> changes = diff.changes();
  std::string bytes;
  Packer packer(bytes);
  packer.map(3).key("events").unsigned_integer(diff.events());
  packer.key("unchanged").unsigned_integer(diff.unchanged());
  packer.key("changes").array(changes.size());
  for (const RulesDiffChange& change : changes) pack(packer, change);
  return to_json(Value::trusted(bytes)) + "\n";
}

}  // namespace

ExitCode diff_rules(
    Files& files, const RulesOptions& options, WallTime now, Screen& screen, Look look) {
  const auto after = bus::RuleSet::load(options.files);
  if (!after) return complain(screen, after.error().what);
  const auto before = bus::RuleSet::load(options.against);
  if (!before) return complain(screen, before.error().what);
  RulesDiff diff(*before, *after);
  const WallTime since = options.since ? now - *options.since : WallTime();
  JournalReader reader([&](const JournalEntry& entry) {
    if (is_archived(entry) && entry.event.ingested >= since) diff.add(*entry.view);
  });
  reader.want_events_only();
  const auto scan = read_journal(files, options.journal, reader);
  if (!scan) return complain(screen, scan.error().what);
  screen.print(look.json ? json_of(diff) : text_of(diff, look));
  return diff.changes().empty() ? ExitCode::Done : ExitCode::Refused;
}

}  // namespace conga::cli
