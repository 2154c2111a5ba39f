// SPDX-License-Identifier: Apache-2.0

#include "cli/journal_reader.h"

#include "common/io/read_ahead.h"

#include <utility>

namespace conga::cli {
namespace {

/// What a bus let in may be larger than this program's default limits.
constexpr ValueLimits kWideLimits{.max_size = std::size_t{1} << 30U, .max_depth = 256};

Result<> read_targets(JournalEntry& entry) {
  std::string_view names = entry.event.targets;
  auto targets = bus::take_targets(names);
  if (!targets) return targets.failure();
  entry.targets = std::move(*targets);
  return {};
}

Result<> read_event_entry(std::string_view payload, bool with_targets, JournalEntry& entry) {
  const auto record = bus::read_event_record(payload);
  if (!record) return record.failure();
  entry.event = *record;
  if (with_targets) {
    if (auto read = read_targets(entry); !read) return read;
  }
  const auto view = read_event(record->event, kWideLimits);
  if (!view) return view.failure();
  entry.view = *view;
  return {};
}

template <class Record>
Result<> keep(Result<Record> record, Record& in) {
  if (!record) return record.failure();
  in = std::move(*record);
  return {};
}

Result<> read_entry(const LogRecord& record, bool with_targets, JournalEntry& entry) {
  entry.position = record.position;
  entry.commit = record.frame.commit;
  entry.size = record.frame.size();
  entry.type = record.frame.type;
  switch (record.frame.type) {
    case bus::kEventRecord:
    case bus::kCarriedRecord:
      return read_event_entry(record.payload, with_targets, entry);
    case bus::kSettledRecord:
      return keep(bus::read_settled_record(record.payload), entry.settled);
    case bus::kRetryRecord:
      return keep(bus::read_retry_record(record.payload), entry.retry);
    default:
      return fail(Fault::Corrupt,
                  "a record of unknown type " + std::to_string(record.frame.type),
                  "DamagedJournal");
  }
}

}  // namespace

Result<> JournalReader::on_record(const LogRecord& record) {
  if (stop_ != nullptr && *stop_) return fail(Fault::Permanent, "stopped", "Stopped");
  if (events_only_ && record.frame.type != bus::kEventRecord) return {};
  if (const auto read = read_entry(record, !events_only_, entry_); read) {
    user_(entry_);
  } else {
    malformed_.push_back({record.position, record.frame.size(), read.error().what});
  }
  return {};
}

Result<LogScan> read_journal(Files& files, const std::string& directory, JournalReader& reader) {
  ReadAhead ahead(files);
  auto scan = scan_log(ahead, directory, ScanFrom::Oldest, reader);
  if (!scan) {
    // Of a segment, not of the directory.
    const bool moved =
        scan.error().code == "NotFound" && scan.error().what.find(".log") != std::string::npos;
    return fail(scan.error().fault,
                scan.error().what
                    + (moved ? " (if a sidecar works there it may just have dropped an old "
                               "segment: try again)"
                             : ""),
                scan.error().code);
  }
  if (scan->segments.empty()) {
    return fail(Fault::Permanent,
                directory
                    + ": no segment of a journal (00000001.log …) here: name the sidecar's "
                      "journal.directory",
                "NoJournal");
  }
  return scan;
}

}  // namespace conga::cli
