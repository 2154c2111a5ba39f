// SPDX-License-Identifier: Apache-2.0

#include "cli/archive.h"

#include "bus/sidecar/file_archive.h"

#include <algorithm>
#include <utility>

namespace conga::cli {
namespace {

struct Period {
  WallTime since = WallTime::min();
  WallTime until = WallTime::max();
};

Result<Period> period_of(const ArchiveChoice& choice, WallTime now) {
  Period period;
  if (!choice.since.empty()) {
    const auto since = parse_when(choice.since, now);
    if (!since) return fail(Fault::Permanent, "--since: " + since.error().what);
    period.since = *since;
  }
  if (!choice.until.empty()) {
    const auto until = parse_when(choice.until, now);
    if (!until) return fail(Fault::Permanent, "--until: " + until.error().what);
    period.until = *until;
  }
  return period;
}

bool is_within(WallTime time, const Period& period) {
  return time >= period.since && time < period.until;
}

std::vector<std::string> sentences_of(const LogScan& scan, const JournalReader& reader) {
  std::vector<std::string> sentences;
  const auto add = [&sentences](LogPosition position, const std::string& what) {
    sentences.push_back(segment_name(position.segment) + " at offset "
                        + std::to_string(position.offset) + ": " + what);
  };
  for (const LogDamage& damage : scan.damage) {
    if (damage.kind == LogDamage::Kind::Corrupt) {
      add(damage.position, "damaged: events may be missing");
    }
  }
  for (const Malformed& one : reader.malformed()) add(one.position, one.reason);
  return sentences;
}

}  // namespace

std::string directory_of(const ArchiveChoice& choice) {
  if (choice.archive.empty()) return choice.journal;
  return choice.journal + "/" + std::string(bus::kArchivesFolder) + "/" + choice.archive;
}

Result<std::vector<std::string>> archives_of(Files& files, const std::string& journal) {
  const auto beside = files.list(journal);
  if (!beside) return beside.failure();
  const std::string folder(bus::kArchivesFolder);
  if (std::ranges::find(*beside, folder) == beside->end()) return std::vector<std::string>();
  auto names = files.list(journal + "/" + folder);
  if (names) std::ranges::sort(*names);
  return names;
}

bool is_archived(const JournalEntry& entry) {
  return entry.type == bus::kEventRecord && !entry.event.again && entry.view->replay_name.empty();
}

Result<WallTime> parse_when(std::string_view text, WallTime now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  if (const auto time = parse_rfc3339(text)) return *time;
  return fail(
      Fault::Permanent,
      "'" + std::string(text) + "' is no time: write how long ago, 24h, or 2026-11-23T10:00:00Z");
}

Result<std::vector<std::string>> read_archive(Files& files,
                                              const ArchiveChoice& choice,
                                              WallTime now,
                                              const std::atomic<bool>& stop,
                                              const std::function<void(const Archived&)>& use) {
  const auto period = period_of(choice, now);
  if (!period) return period.failure();
  EventFilter filter;
  if (!choice.pattern.empty()) {
    auto made = filter_of_pattern(choice.pattern);
    if (!made) return made.failure();
    filter = std::move(*made);
  }
  JournalReader reader([&](const JournalEntry& entry) {
    if (!is_archived(entry) || !is_within(entry.event.ingested, *period)) return;
    if (entry.event.sequence <= choice.after) return;
    if (filter && !filter(entry.view->map)) return;
    use({.sequence = entry.event.sequence, .ingested = entry.event.ingested, .event = *entry.view});
  });
  reader.stop_when(stop);
  reader.want_events_only();
  const auto scan = read_journal(files, directory_of(choice), reader);
  if (!scan) {
    if (stop) return std::vector<std::string>();
    return scan.failure();
  }
  return sentences_of(*scan, reader);
}

}  // namespace conga::cli
