// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/journal.h"

#include "bus/sidecar/journal_format.h"
#include "cli/journal_reader.h"
#include "cli/text.h"
#include "common/core/clock.h"
#include "common/io/log_scan.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace conga::cli {
namespace {

// --- damage

/// Damage of either sort, ready to be told.
struct Finding {
  LogPosition position;
  std::uint64_t length = 0;
  std::string_view kind;
  std::string meaning;
};

Finding finding_of(const LogDamage& damage) {
  Finding found{damage.position, damage.length, {}, {}};
  switch (damage.kind) {
    case LogDamage::Kind::Torn:
      found.kind = "torn";
      found.meaning = "the end of an unfinished write, nothing was promised there";
      break;
    case LogDamage::Kind::Corrupt:
      found.kind = "corrupt";
      found.meaning = damage.length == 0 ? "the segment is missing or cut short"
                                         : "durable records were lost there";
      break;
    case LogDamage::Kind::Mendable:
      found.kind = "mendable";
      found.meaning = "held twice, nothing is lost; the sidecar mends it when it starts";
      break;
  }
  return found;
}

std::vector<Finding> findings_of(const LogScan& scan, const JournalReader& reader) {
  std::vector<Finding> findings;
  for (const LogDamage& damage : scan.damage) findings.push_back(finding_of(damage));
  for (const Malformed& one : reader.malformed()) {
    findings.push_back({one.position, one.size, "malformed", one.reason});
  }
  std::ranges::stable_sort(findings, {}, &Finding::position);
  return findings;
}

/// What a crash or a writer at work leaves at the end is no damage.
bool is_damage(const Finding& finding) {
  return finding.kind != "torn";
}

std::uint64_t count_damage(const std::vector<Finding>& findings) {
  return static_cast<std::uint64_t>(std::ranges::count_if(findings, is_damage));
}

std::string line_of(const std::string& directory, const Finding& found) {
  return directory + "/" + segment_name(found.position.segment) + ": " + std::string(found.kind)
         + " at offset " + std::to_string(found.position.offset) + " ("
         + counted(found.length, "byte") + "): " + printable(found.meaning) + "\n";
}

void note_findings(const std::string& directory,
                   const std::vector<Finding>& findings,
                   Screen& screen) {
  for (const Finding& found : findings) screen.note("conga: " + line_of(directory, found));
}

void print_json(Screen& screen, const std::string& packed) {
  screen.print(to_json(Value::trusted(packed)) + "\n");
}

void pack_findings(Packer& packer, const std::vector<Finding>& findings) {
  packer.array(findings.size());
  for (const Finding& found : findings) {
    packer.map(5).key("segment").unsigned_integer(found.position.segment);
    packer.key("offset").unsigned_integer(found.position.offset);
    packer.key("length").unsigned_integer(found.length);
    packer.key("kind").string(found.kind).key("meaning").string(found.meaning);
  }
}

void print_verdict(const LogScan& scan,
                   const std::string& directory,
                   const std::vector<Finding>& findings,
                   Screen& screen,
                   const Look& look) {
  const std::uint64_t damage = count_damage(findings);
  if (look.json) {
    std::string line;
    Packer packer(line);
    packer.map(5).key("sound").boolean(damage == 0);
    packer.key("segments").unsigned_integer(scan.segments.size());
    packer.key("records").unsigned_integer(scan.records);
    packer.key("last-commit").unsigned_integer(scan.last_commit).key("findings");
    pack_findings(packer, findings);
    return print_json(screen, line);
  }
  for (const Finding& found : findings) screen.print(line_of(directory, found));
  screen.print(counted(scan.segments.size(), "segment") + ", " + counted(scan.records, "record")
               + ", " + (damage == 0 ? "no damage" : "damaged at " + counted(damage, "place"))
               + "\n");
}

// --- dump

std::string_view ending_name(bus::Ending ending) {
  return ending == bus::Ending::Settled ? "settled" : "dead-letter";
}

std::string type_name(const JournalEntry& entry) {
  if (entry.type == bus::kSettledRecord) return std::string(ending_name(entry.settled.ending));
  if (entry.type == bus::kRetryRecord) return "retry";
  return entry.type == bus::kCarriedRecord ? "carried" : "event";
}

std::string name_of(const bus::TargetName& target) {
  return printable(target.rule) + "/" + printable(target.target);
}

std::string reason_of(const std::string& code, const std::string& message) {
  if (code.empty()) return "";
  return " " + printable(code) + (message.empty() ? "" : ": " + printable(message));
}

std::string event_text(const JournalEntry& entry) {
  std::string line = std::to_string(entry.event.sequence) + " "
                     + format_rfc3339(entry.event.ingested) + " " + entry.view->id.text() + " "
                     + printable(entry.view->source) + " " + printable(entry.view->detail_type)
                     + (entry.event.again ? " again" : "") + " →";
  for (const bus::TargetName& target : entry.targets) line += " " + name_of(target);
  return entry.targets.empty() ? line + " nobody" : line;
}

std::string settled_text(const bus::SettledRecord& record) {
  return std::to_string(record.sequence) + " " + format_rfc3339(record.at) + " "
         + name_of(record.target) + " after " + counted(record.attempts, "attempt")
         + (record.instance.empty() ? "" : " by " + printable(record.instance))
         + reason_of(record.code, record.message);
}

std::string retry_text(const bus::RetryRecord& record) {
  return std::to_string(record.sequence) + " " + format_rfc3339(record.failed) + " "
         + name_of(record.target) + " attempt " + std::to_string(record.attempt) + " due "
         + format_rfc3339(record.due) + reason_of(record.code, record.message);
}

std::string dump_text(const JournalEntry& entry) {
  std::string line = std::to_string(entry.position.segment) + ":"
                     + std::to_string(entry.position.offset) + " " + type_name(entry) + " ";
  if (entry.type == bus::kSettledRecord) return line + settled_text(entry.settled) + "\n";
  if (entry.type == bus::kRetryRecord) return line + retry_text(entry.retry) + "\n";
  return line + event_text(entry) + "\n";
}

constexpr std::size_t kSharedMembers = 5;

void pack_shared(Packer& packer,
                 const JournalEntry& entry,
                 bus::Sequence sequence,
                 std::size_t more) {
  packer.map(kSharedMembers + more).key("segment").unsigned_integer(entry.position.segment);
  packer.key("offset").unsigned_integer(entry.position.offset);
  packer.key("commit").unsigned_integer(entry.commit).key("type").string(type_name(entry));
  packer.key("sequence").unsigned_integer(sequence);
}

void pack_time(Packer& packer, std::string_view key, WallTime time) {
  packer.key(key).string(format_rfc3339(time));
}

void pack_event(Packer& packer, const JournalEntry& entry) {
  pack_shared(packer, entry, entry.event.sequence, entry.event.again ? 4 : 3);
  pack_time(packer, "ingested", entry.event.ingested);
  if (entry.event.again) packer.key("again").boolean(true);
  packer.key("targets").array(entry.targets.size());
  for (const bus::TargetName& target : entry.targets) {
    packer.map(2).key("rule").string(target.rule).key("target").string(target.target);
  }
  packer.key("event").value(entry.view->map);
}

/// Five members that endings and retries share.
template <class Record>
void pack_whose(Packer& packer, const Record& record) {
  packer.key("rule").string(record.target.rule).key("target").string(record.target.target);
  packer.key("instance").string(record.instance).key("code").string(record.code);
  packer.key("message").string(record.message);
}

void pack_settled(Packer& packer, const JournalEntry& entry) {
  const bus::SettledRecord& record = entry.settled;
  pack_shared(packer, entry, record.sequence, 9);
  pack_whose(packer, record);
  packer.key("attempts").unsigned_integer(record.attempts);
  pack_time(packer, "first-attempt", record.first_attempt);
  pack_time(packer, "last-attempt", record.last_attempt);
  pack_time(packer, "at", record.at);
}

void pack_retry(Packer& packer, const JournalEntry& entry) {
  const bus::RetryRecord& record = entry.retry;
  pack_shared(packer, entry, record.sequence, 9);
  pack_whose(packer, record);
  packer.key("attempt").unsigned_integer(record.attempt);
  pack_time(packer, "sent", record.sent);
  pack_time(packer, "failed", record.failed);
  pack_time(packer, "due", record.due);
}

void dump(const JournalEntry& entry, Screen& screen, const Look& look) {
  if (!look.json) return screen.print(dump_text(entry));
  std::string line;
  Packer packer(line);
  if (entry.type == bus::kSettledRecord) {
    pack_settled(packer, entry);
  } else if (entry.type == bus::kRetryRecord) {
    pack_retry(packer, entry);
  } else {
    pack_event(packer, entry);
  }
  print_json(screen, line);
}

// --- stats

struct Counts {
  std::uint64_t bytes = 0;  ///< Of records, frames included.
  std::uint64_t events = 0;
  std::uint64_t carried = 0;
  std::uint64_t settled = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t retries = 0;
  bus::Sequence first_sequence = 0;
  bus::Sequence last_sequence = 0;
  std::optional<WallTime> oldest;
  std::optional<WallTime> newest;
};

void count_event(const JournalEntry& entry, Counts& counts) {
  const bus::Sequence sequence = entry.event.sequence;
  if (counts.first_sequence == 0) counts.first_sequence = sequence;
  counts.first_sequence = std::min(counts.first_sequence, sequence);
  counts.last_sequence = std::max(counts.last_sequence, sequence);
  const WallTime time = entry.event.ingested;
  counts.oldest = std::min(counts.oldest.value_or(time), time);
  counts.newest = std::max(counts.newest.value_or(time), time);
}

void count(const JournalEntry& entry, Counts& counts) {
  counts.bytes += entry.size;
  if (entry.type == bus::kRetryRecord) {
    ++counts.retries;
  } else if (entry.type == bus::kSettledRecord) {
    ++(entry.settled.ending == bus::Ending::Settled ? counts.settled : counts.dead_letters);
  } else {
    ++(entry.type == bus::kEventRecord ? counts.events : counts.carried);
    count_event(entry, counts);
  }
}

void print_stats(const LogScan& scan,
                 const JournalReader& reader,
                 const Counts& counts,
                 Screen& screen,
                 const Look& look) {
  const std::vector<std::pair<std::string_view, std::uint64_t>> numbers = {
      {"segments", scan.segments.size()},
      {"oldest-segment", scan.segments.front().header.number},
      {"newest-segment", scan.segments.back().header.number},
      {"low-water", reader.notes().low_water},
      {"last-commit", scan.last_commit},
      {"records", scan.records},
      {"record-bytes", counts.bytes},
      {"events", counts.events},
      {"carried", counts.carried},
      {"settled", counts.settled},
      {"dead-letters", counts.dead_letters},
      {"retries", counts.retries},
      {"first-sequence", counts.first_sequence},
      {"last-sequence", counts.last_sequence}};
  const std::string oldest = counts.oldest ? format_rfc3339(*counts.oldest) : "";
  const std::string newest = counts.newest ? format_rfc3339(*counts.newest) : "";
  if (look.json) {
    std::string line;
    Packer packer(line);
    packer.map(numbers.size() + 2);
    for (const auto& [name, number] : numbers) packer.key(name).unsigned_integer(number);
    packer.key("oldest-event").string(oldest).key("newest-event").string(newest);
    return print_json(screen, line);
  }
  Table table({"WHAT", "VALUE"});
  const auto add = [&table](std::string_view name, std::string value) {
    table.add({Cell{.text = std::string(name)}, Cell{.text = std::move(value), .right = true}});
  };
  for (const auto& [name, number] : numbers) add(name, std::to_string(number));
  add("oldest-event", oldest);
  add("newest-event", newest);
  screen.print(table.text(look));
}

ExitCode complain(Screen& screen, const std::string& what) {
  screen.note("conga: " + what + "\n");
  return ExitCode::Usage;
}

}  // namespace

ExitCode run_journal(Files& files, const JournalOptions& options, Screen& screen, Look look) {
  using Action = JournalOptions::Action;
  Counts counts;
  JournalReader reader([&](const JournalEntry& entry) {
    if (options.action == Action::Dump) dump(entry, screen, look);
    if (options.action == Action::Stats) count(entry, counts);
  });
  const auto scan = read_journal(files, options.directory, reader);
  if (!scan) return complain(screen, scan.error().what);
  const std::vector<Finding> findings = findings_of(*scan, reader);
  if (options.action == Action::Verify) {
    print_verdict(*scan, options.directory, findings, screen, look);
  } else {
    if (options.action == Action::Stats) print_stats(*scan, reader, counts, screen, look);
    note_findings(options.directory, findings, screen);
  }
  return count_damage(findings) == 0 ? ExitCode::Done : ExitCode::Refused;
}

}  // namespace conga::cli
