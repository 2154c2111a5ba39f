// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_checks.h"

#include "bus/sidecar/journal_format.h"
#include "bus/sidecar/letter_news.h"
#include "bus/sidecar/pseudo_targets.h"
#include "common/io/log_scan.h"
#include "common/wire/event/event.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

namespace conga::simulation {
namespace {

/// Every code that a delivery may end with.
constexpr std::array<std::string_view, 6> kReasons{
    "Unwanted", "Busy", "AckTimeout", "ConsumerLost", "TargetRemoved", "NoConsumer"};

void expect(DeliveryReport& report, bool holds, const std::string& what) {
  if (!holds) report.violations.push_back(what);
}

const PlannedEvent* find(const std::vector<PlannedEvent>& events, const std::string& id) {
  const auto same = [&id](const PlannedEvent& each) { return each.id.text() == id; };
  const auto found = std::ranges::find_if(events, same);
  return found == events.end() ? nullptr : &*found;
}

std::vector<bus::DeadLetter> all_of(bus::DeadLetters& letters, DeliveryReport& report) {
  bus::DeadLetterFilter filter;
  filter.limit = 1000;
  auto found = letters.list(filter);
  if (found) return std::move(*found);
  expect(report, false, "dead letters: " + found.error().what);
  return {};
}

class Ledger {
public:
  Ledger(const DeliveryBooks& books, DeliveryReport& report) : books_(books), report_(report) {}

  void note(const bus::DeadLetter& letter) {
    buried_.insert({letter.target, letter.event_id});
    there_.insert({letter.target, letter.event_id});
    expect(report_, letter.announced, "a dead letter is not announced: event " + letter.event_id);
    expected_.insert(announcement_of(letter).id.text());
  }

  void note(const bus::JournalEntry& entry) {
    if (entry.kind == bus::JournalEntry::Kind::Event) note_event(entry.event);
    if (entry.kind == bus::JournalEntry::Kind::Settled) note_end(entry.settled);
  }

  void finish() {
    check_order();
    for (const auto& [whose, ending] : last_end_) {
      const bool stale = ending == bus::Ending::Settled && there_.contains(whose);
      expect(report_,
             !stale || books_.sidecar_died,
             "a dead letter of what was settled: event " + whose.second);
    }
    for (const auto& [target, id] : ended_dead_) {
      expect(report_,
             there_.contains({target, id}) || redriven_.contains({target, id}),
             "a dead letter is lost: event " + id + " for " + target.rule + "/" + target.target);
    }
    for (const std::string& id : expected_) {
      expect(report_, announced_.contains(id), "an announcement is not in the journal: " + id);
    }
    for (const std::string& id : books_.acknowledged) {
      expect(report_, kept_.contains(id), "acknowledged and lost: event " + id);
    }
    check_late_targets();
    for (const auto& [sequence, target] : owed_) {
      expect(report_,
             books_.unrecorded.contains({sequence, target}),
             "never ended: event " + std::to_string(sequence) + " for " + target.rule + "/"
                 + target.target);
    }
  }

private:
  void note_event(const bus::StoredEvent& stored) {
    const auto event = read_event(stored.bytes);
    if (!event) return expect(report_, false, "the journal holds what is no event");
    const std::string id = event->id.text();
    if (event->source == "conga.dlq") {
      return expect(report_, announced_.insert(id).second, "announced twice: event " + id);
    }
    const PlannedEvent* const planned = find(books_.events, id);
    if (planned == nullptr) return expect(report_, false, "nobody put event " + id);
    kept_.insert(id);
    const bool again = stored.again;
    std::set<bus::TargetName> targets(stored.targets.begin(), stored.targets.end());
    targets.erase({kArchive, std::string(bus::kArchiveTarget)});
    const bool owed = std::ranges::any_of(books_.rules, [&](const PlannedRules& rules) {
      return targets_of(rules, planned->type) == targets;
    });
    // One that is redriven, or for a target that was added later, is kept again, for that target.
    expect(report_,
           again ? targets.size() == 1 && first_.contains(id) : owed,
           "event " + id + " has other targets");
    ids_[stored.sequence] = id;
    first_.try_emplace(id, stored.sequence);
    for (const bus::TargetName& target : stored.targets) {
      owed_.emplace(stored.sequence, target);
      const bool redriven = !ever_owed_.insert({target, id}).second;
      if (again && !redriven) {
        expect(report_, is_late(target), "event " + id + " is owed to a target that had it");
      }
      if (redriven) buried_.insert({target, id});
      if (redriven) redriven_.insert({target, id});
    }
  }

  void note_end(const bus::SettledRecord& record) {
    const bool first = owed_.erase({record.sequence, record.target}) == 1;
    if (!first || record.code == "TargetRemoved") return;
    const std::string& id = ids_[record.sequence];
    if (!bus::is_pseudo_target(record.target.target))
      last_end_[{record.target, id}] = record.ending;
    if (record.ending == bus::Ending::DeadLetter) {
      buried_.insert({record.target, id});
      ended_dead_.insert({record.target, id});
      return;
    }
    if (bus::is_pseudo_target(record.target.target)) return;
    ++report_.settled;
    expect(report_,
           books_.said_ok.contains({id, record.target}),
           "settled although no consumer said ok: event " + id + " for " + record.target.rule + "/"
               + record.target.target);
  }

  bool is_late(const bus::TargetName& target) const {
    const auto late = late_targets(books_.rules.back());
    return std::ranges::any_of(late, [&](const auto& each) { return each.first == target; });
  }

  /// What was in the journal before them is theirs too.
  void check_late_targets() {
    if (!books_.last_rules_work) return;
    for (const auto& [target, rule] : late_targets(books_.rules.back())) {
      for (const std::string& id : kept_) {
        const PlannedEvent* const planned = find(books_.events, id);
        if (planned == nullptr || !rule->types.contains(planned->type)) continue;
        expect(report_,
               ever_owed_.contains({target, id}),
               "event " + id + " was never owed to " + target.rule + "/" + target.target);
      }
    }
  }

  /// What became a dead letter may be redriven, late.
  void check_order() {
    for (const auto& [lane, ids] : books_.settled) {
      bus::Sequence last = 0;
      for (const std::string& id : ids) {
        const auto kept = first_.find(id);
        if (kept == first_.end() || buried_.contains({{lane.rule, lane.service}, id})) continue;
        expect(report_,
               kept->second > last,
               "event " + std::to_string(kept->second) + " of " + lane.key + " was overtaken by "
                   + std::to_string(last) + " for " + lane.rule + "/" + lane.service);
        last = std::max(last, kept->second);
      }
    }
  }

  const DeliveryBooks& books_;
  DeliveryReport& report_;
  std::set<std::string> kept_;
  std::set<std::string> expected_;   ///< Announcements of the dead letters that are there.
  std::set<std::string> announced_;  ///< Those in the journal.
  Deliveries owed_;
  std::map<bus::Sequence, std::string> ids_;
  std::map<std::string, bus::Sequence> first_;  ///< By event id: where it was kept first.
  std::set<std::pair<bus::TargetName, std::string>> ever_owed_;
  std::set<std::pair<bus::TargetName, std::string>> buried_;
  std::map<std::pair<bus::TargetName, std::string>, bus::Ending> last_end_;
  std::set<std::pair<bus::TargetName, std::string>> there_;       ///< In the dead letters now.
  std::set<std::pair<bus::TargetName, std::string>> redriven_;    ///< Kept again.
  std::set<std::pair<bus::TargetName, std::string>> ended_dead_;  ///< By the journal's word.
};

/// Calls `use` with each record of the journal.
template <class Use>
void for_each_entry(bus::EventStore& store, DeliveryReport& report, const Use& use) {
  constexpr std::size_t kBatch = 1000;
  std::string cursor;
  for (;;) {
    const auto entries = store.follow(cursor, kBatch);
    if (!entries) return expect(report, false, "journal: " + entries.error().what);
    if (entries->empty()) return;
    for (const bus::JournalEntry& entry : *entries) use(entry);
  }
}

/// Reads an archive: its events by sequence.
class ArchiveReader final : public LogVisitor {
public:
  void on_notes(const SegmentNotes& /*newest*/) override {}

  Result<> on_record(const LogRecord& record) override {
    if (record.frame.type != bus::kEventRecord) return {};
    const auto event = bus::read_event_record(record.payload);
    if (!event) return event.failure();
    if (!events.try_emplace(event->sequence, event->event).second) ++repeats;
    return {};
  }

  std::map<bus::Sequence, std::string> events;
  std::size_t repeats = 0;
};

}  // namespace

void check_archive(bus::EventStore& store,
                   Files& disk,
                   const std::string& directory,
                   const DeliveryBooks& books,
                   DeliveryReport& report) {
  ArchiveReader archive;
  const auto scan = scan_log(disk, directory, ScanFrom::Oldest, archive);
  if (!scan) return expect(report, false, "the archive: " + scan.error().what);
  expect(report, archive.repeats == 0, "the archive has an event twice");
  std::size_t owed = 0;
  std::set<std::string> kept;
  for_each_entry(store, report, [&](const bus::JournalEntry& entry) {
    if (entry.kind != bus::JournalEntry::Kind::Event) return;
    const auto event = read_event(entry.event.bytes);
    const PlannedEvent* const planned = event ? find(books.events, event->id.text()) : nullptr;
    const bool first = event && kept.insert(event->id.text()).second;
    const bool named = std::ranges::any_of(entry.event.targets, [](const auto& target) {
      return target.target == bus::kArchiveTarget;
    });
    const std::string which = "event " + std::to_string(entry.event.sequence);
    const bool wanted = planned != nullptr && first && is_for_archive(planned->type);
    expect(report, named == wanted, which + (wanted ? " is not" : " is") + " owed to the archive");
    if (!named) return;
    ++owed;
    const auto found = archive.events.find(entry.event.sequence);
    const bool same = found != archive.events.end() && found->second == entry.event.bytes;
    expect(report, same, which + " is not in the archive");
  });
  expect(report, archive.events.size() == owed, "the archive has events that it was not owed");
}

void check_deliveries(bus::EventStore& store,
                      bus::DeadLetters& letters,
                      const DeliveryBooks& books,
                      DeliveryReport& report) {
  Ledger ledger(books, report);
  for (const bus::DeadLetter& letter : all_of(letters, report)) ledger.note(letter);
  for_each_entry(store, report, [&ledger](const bus::JournalEntry& entry) { ledger.note(entry); });
  ledger.finish();
}

/// By any of the rule sets.
static std::uint32_t most_retries(const std::vector<PlannedRules>& sets,
                                  const bus::TargetName& name) {
  std::uint32_t most = 0;
  for (const PlannedRules& rules : sets) {
    for (const PlannedRule& rule : rules) {
      for (const PlannedTarget& target : rule.targets) {
        const bool same = rule.name == name.rule && target.service == name.target;
        if (same) most = std::max(most, target.max_attempts);
      }
    }
  }
  return most;
}

void check_reasons(bus::DeadLetters& letters, const DeliveryBooks& books, DeliveryReport& report) {
  const std::vector<bus::DeadLetter> found = all_of(letters, report);
  report.dead_letters = found.size();
  for (const bus::DeadLetter& letter : found) {
    expect(report, find(books.events, letter.event_id) != nullptr, "a dead letter of no event");
    expect(report,
           std::ranges::find(kReasons, letter.error_code) != kReasons.end(),
           "dead letter " + letter.target.rule + "/" + letter.target.target + ": "
               + letter.error_code + ": " + letter.error_message);
    expect(report,
           letter.retry_attempts <= most_retries(books.rules, letter.target),
           "dead letter " + letter.target.rule + "/" + letter.target.target + ": "
               + std::to_string(letter.retry_attempts) + " retries");
  }
}

}  // namespace conga::simulation
