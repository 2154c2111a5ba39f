// SPDX-License-Identifier: Apache-2.0
//
// Reading a record log: LogReader walks one segment, scan_log() all of them, telling a torn tail
// from damage. Both only read, so they work beside the process that writes the log.
//
// Every record carries the number of its commit, and a commit is written only after the one before
// it was synced. So bytes that cannot be read are a torn tail if all they held may belong to the
// last commit found, and damage if a later commit proves that they once were durable.

#pragma once

#include "common/io/files.h"
#include "common/io/log_format.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

struct LogRecord {
  LogPosition position;
  RecordFrame frame;
  std::string_view payload;  ///< Valid until the next call of whoever handed it over.
};

/// Walks the records of one segment, stepping over what is not a valid record.
class LogReader {
public:
  /// `commit`: records of earlier commits are stale bytes of the file's last lap. 0: unknown, and
  /// a search through garbage takes longer.
  LogReader(std::unique_ptr<File> file,
            std::uint32_t segment,
            std::uint32_t from,
            std::uint64_t commit)
      : file_(std::move(file)), segment_(segment), end_(from), commit_(commit) {}

  /// The next valid record before offset `limit`; nothing: there is none. What lay between the
  /// one before and this one was not valid: `end()` before and `record.position` tell.
  Result<std::optional<LogRecord>> next(std::uint64_t limit);

  /// Behind the last record returned.
  std::uint32_t end() const { return end_; }

  std::uint32_t segment() const { return segment_; }

  std::uint64_t commit() const { return commit_; }

  /// Whether the bytes at end() are what a writer leaves there: an empty frame, or the file's end.
  Result<bool> ends_clean();

  /// Up to `size` bytes at `offset`, through the same window.
  Result<std::string_view> view(std::uint64_t offset, std::uint64_t size);

private:
  Result<std::optional<LogRecord>> record_at(std::uint64_t offset, std::uint64_t limit);
  Result<std::uint64_t> skip_zeros(std::uint64_t offset, std::uint64_t limit);

  std::unique_ptr<File> file_;
  std::uint32_t segment_;
  std::uint32_t end_;
  std::uint64_t commit_;
  std::string window_;
  std::uint64_t window_start_ = 0;
  std::uint64_t limit_ = 0;  ///< Bytes behind it may still change: they are never kept.
};

/// Bytes of a log that are not what was written.
struct LogDamage {
  enum class Kind : std::uint8_t {
    Torn,      ///< The end of an unfinished commit: nothing that was ever durable.
    Corrupt,   ///< Durable bytes were lost.
    Mendable,  ///< Damaged, but held twice: nothing is lost.
  };

  Kind kind = Kind::Torn;
  LogPosition position;
  std::uint64_t length = 0;  ///< 0: a whole segment is missing.
  std::uint64_t commit = 0;  ///< Of the record before.
};

struct ScannedSegment {
  SegmentHeader header;
  bool header_good = true;  ///< Both copies.
  bool scanned = false;     ///< False below the position where the scan began: the rest is unset.
  std::uint32_t end = kDataStart;  ///< Behind the last valid record.
  bool sealed = false;             ///< The last valid record is a seal.
  std::uint64_t end_commit = 0;    ///< Of the last record in or before the segment.
};

struct LogScan {
  std::vector<ScannedSegment> segments;  ///< In order; all of them, scanned or not.
  std::vector<LogDamage> damage;         ///< In order.
  std::uint64_t last_commit = 0;
  std::uint64_t records = 0;  ///< Of the user's types.
};

/// Is handed the records of a log in order, all of the user's types.
class LogVisitor {
public:
  virtual ~LogVisitor() = default;

  /// The newest segment's notes, before any record.
  virtual void on_notes(const SegmentNotes& newest) = 0;

  virtual Result<> on_record(const LogRecord& record) = 0;

  /// After all records: what a segment that is begun now is to say. `newest`: what the newest one
  /// says, which is of when that one began.
  virtual SegmentNotes notes_to_go_on(const SegmentNotes& newest) const { return newest; }
};

enum class ScanFrom : std::uint8_t {
  LowWater,  ///< The newest segment's low-water mark.
  Oldest,
};

/// Permanent with code `OtherVersion` for a log of another version. Damage is no failure.
Result<LogScan> scan_log(Files& files,
                         const std::string& directory,
                         ScanFrom from,
                         LogVisitor& visitor);

}  // namespace conga
