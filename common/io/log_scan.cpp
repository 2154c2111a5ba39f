// SPDX-License-Identifier: Apache-2.0

#include "common/io/log_scan.h"

#include "common/io/little_endian.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace conga {
namespace {

constexpr std::uint64_t kWindow = std::uint64_t{1} << 20U;
constexpr std::uint64_t kAlignment = 8;

/// Bytes between two valid records, or behind the last one of a segment.
struct Gap {
  LogPosition position;
  std::uint64_t length = 0;
  std::uint64_t commit_before = 0;
  std::uint64_t commit_after = 0;  ///< Of the next valid record, in whatever segment; 0: none.
  bool first_after = false;        ///< That record is the first of its commit.
};

/// Whether all that the gap held may belong to the last commit of the log, or to one after it.
bool is_torn(const Gap& gap, std::uint64_t last_commit) {
  if (gap.commit_before >= last_commit) return true;
  return gap.commit_before + 1 == last_commit && gap.commit_after == last_commit
         && !gap.first_after;
}

class Scanner {
public:
  Scanner(Files& files, const std::string& directory, LogVisitor& visitor)
      : files_(files), directory_(directory), visitor_(visitor) {}

  Result<LogScan> run(ScanFrom from) {
    if (auto read = read_headers(); !read) return read.failure();
    if (scan_.segments.empty()) return std::move(scan_);
    const SegmentNotes newest = scan_.segments.back().header.notes;
    visitor_.on_notes(newest);
    const bool all = from == ScanFrom::Oldest || headers_lost_;
    const std::uint32_t start = all ? 0 : newest.low_water;
    for (ScannedSegment& segment : scan_.segments) {
      scan_.last_commit = std::max(scan_.last_commit, segment.header.commit);
      if (segment.header.number < start) continue;
      if (auto scanned = scan_segment(segment); !scanned) return scanned.failure();
    }
    judge();
    return std::move(scan_);
  }

private:
  std::string path_of(std::uint32_t number) const {
    return directory_ + "/" + segment_name(number);
  }

  Result<> read_headers() {
    const auto names = files_.list(directory_);
    if (!names) return names.failure();
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : *names) {
      if (const auto number = segment_number(name)) numbers.push_back(*number);
    }
    std::ranges::sort(numbers);
    for (const std::uint32_t number : numbers) {
      note_missing(number);
      if (auto read = read_header_of(number); !read) return read.failure();
    }
    return {};
  }

  void note_missing(std::uint32_t number) {
    if (scan_.segments.empty()) return;
    const std::uint32_t expected = scan_.segments.back().header.number + 1;
    if (number == expected) return;
    scan_.damage.push_back({LogDamage::Kind::Corrupt, {expected, 0}, 0, 0});
  }

  Result<> read_header_of(std::uint32_t number) {
    const auto file = files_.open(path_of(number), OpenMode::Read);
    if (!file) return file.failure();
    std::string bytes(kDataStart, '\0');
    const auto got = (*file)->read(0, bytes);
    if (!got) return got.failure();
    bytes.resize(*got);

    const HeaderRead read = read_header(bytes);
    if (read.state == HeaderState::OtherVersion) {
      return fail(Fault::Permanent,
                  path_of(number) + ": a journal of version " + std::to_string(read.version)
                      + ", and this program reads version " + std::to_string(kLogVersion)
                      + ": use the program that wrote it, or move the directory away",
                  "OtherVersion");
    }
    ScannedSegment segment;
    segment.header = read.header;
    const bool misplaced = read.header.number != number;
    if (read.state == HeaderState::BothBad || misplaced) {
      // The records can be read all the same: the number that their CRCs need is in the name.
      segment.header = {};
      segment.header.number = number;
      segment.header_good = false;
      headers_lost_ = true;
      scan_.damage.push_back({LogDamage::Kind::Corrupt, {number, 0}, kHeaderSize, 0});
    } else if (read.state == HeaderState::OneCopyBad) {
      segment.header_good = false;
      scan_.damage.push_back({LogDamage::Kind::Mendable, {number, read.bad_copy}, kHeaderSize, 0});
    }
    scan_.segments.push_back(segment);
    return {};
  }

  Result<> scan_segment(ScannedSegment& segment) {
    const std::uint32_t number = segment.header.number;
    auto file = files_.open(path_of(number), OpenMode::Read);
    if (!file) return file.failure();
    const auto size = (*file)->size();
    if (!size) return size.failure();
    const bool header_lost = segment.header.commit == 0;
    LogReader reader(std::move(*file), number, kDataStart, header_lost ? 0 : scan_.last_commit);
    while (!segment.sealed) {
      const std::uint32_t end = reader.end();
      const auto record = reader.next(*size);
      if (!record) return record.failure();
      if (!*record) break;
      if (auto noted = on_record(**record, end, segment); !noted) return noted.failure();
    }
    segment.scanned = true;
    segment.end = reader.end();
    segment.end_commit = scan_.last_commit;
    return note_tail(reader, segment, *size);
  }

  Result<> on_record(const LogRecord& record, std::uint32_t end, ScannedSegment& segment) {
    for (; open_gaps_ > 0; --open_gaps_) {
      Gap& gap = gaps_[gaps_.size() - open_gaps_];
      gap.commit_after = record.frame.commit;
      gap.first_after = record.frame.first;
    }
    if (record.position.offset != end) {
      gaps_.push_back({{record.position.segment, end},
                       record.position.offset - end,
                       scan_.last_commit,
                       record.frame.commit,
                       record.frame.first});
    }
    scan_.last_commit = std::max(scan_.last_commit, record.frame.commit);
    last_written_ = record.frame.commit;
    if (segment.header.commit == 0) segment.header.commit = record.frame.commit;
    segment.sealed = record.frame.type == kSealType;
    if (record.frame.type < kFirstUserType) return {};
    ++scan_.records;
    return visitor_.on_record(record);
  }

  /// A segment that does not end in a seal or an empty frame lost something there.
  Result<> note_tail(LogReader& reader, const ScannedSegment& segment, std::uint64_t size) {
    if (segment.sealed) return {};
    const bool newest = &segment == &scan_.segments.back();
    const auto clean = reader.ends_clean();
    if (!clean) return clean.failure();
    if (newest && *clean) return {};
    const std::uint64_t length = size > segment.end ? size - segment.end : 0;
    gaps_.push_back({{segment.header.number, segment.end}, length, scan_.last_commit, 0, false});
    ++open_gaps_;
    return {};
  }

  /// Once the last commit is known, every gap is either torn or damage.
  void judge() {
    for (const Gap& gap : gaps_) {
      const bool torn = is_torn(gap, last_written_);
      const auto kind = torn ? LogDamage::Kind::Torn : LogDamage::Kind::Corrupt;
      scan_.damage.push_back({kind, gap.position, gap.length, gap.commit_before});
    }
    std::ranges::sort(scan_.damage, {}, &LogDamage::position);
  }

  Files& files_;
  const std::string& directory_;
  LogVisitor& visitor_;
  LogScan scan_;
  std::vector<Gap> gaps_;
  std::uint64_t last_written_ = 0;  ///< Of the records alone: a header promises a commit to come.
  bool headers_lost_ = false;
  std::size_t open_gaps_ = 0;  ///< So many of the last gaps wait for the record behind them.
};

}  // namespace

Result<std::string_view> LogReader::view(std::uint64_t offset, std::uint64_t size) {
  const bool inside = offset >= window_start_ && offset + size <= window_start_ + window_.size();
  if (!inside) {
    const std::uint64_t known = limit_ > offset ? limit_ - offset : 0;
    window_.resize(std::max(size, std::min(known, kWindow)));
    const auto got = file_->read(offset, window_);
    if (!got) {
      window_.clear();
      return got.failure();
    }
    window_.resize(*got);
    window_start_ = offset;
  }
  return std::string_view(window_).substr(offset - window_start_, size);
}

Result<std::optional<LogRecord>> LogReader::record_at(std::uint64_t offset, std::uint64_t limit) {
  const auto head = view(offset, kFrameSize);
  if (!head) return head.failure();
  if (head->size() < kFrameSize) return std::nullopt;
  const RecordFrame frame = load_frame(head->data());
  // A commit holds at least one record, so there is a bound to how far the numbers can be ahead:
  // it keeps a search through garbage from believing in garbage lengths.
  const bool plausible = frame.type != 0 && frame.commit >= commit_
                         && (commit_ == 0 || frame.commit <= commit_ + limit / kFrameSize + 1)
                         && offset + frame.size() <= limit;
  if (!plausible) return std::nullopt;
  const auto whole = view(offset, frame.size());
  if (!whole) return whole.failure();
  if (whole->size() < frame.size()) return std::nullopt;
  const LogPosition position{segment_, static_cast<std::uint32_t>(offset)};
  if (!record_crc_fits(whole->data(), frame.size(), position)) return std::nullopt;
  return LogRecord{position, frame, whole->substr(kFrameSize, frame.length)};
}

Result<std::uint64_t> LogReader::skip_zeros(std::uint64_t offset, std::uint64_t limit) {
  while (offset < limit) {
    const auto bytes = view(offset, std::min<std::uint64_t>(limit - offset, std::uint64_t{4096}));
    if (!bytes) return bytes.failure();
    if (bytes->empty()) return limit;
    const std::size_t found = bytes->find_first_not_of('\0');
    if (found != std::string_view::npos) {
      const std::uint64_t there = (offset + found) & ~(kAlignment - 1);
      // A frame's CRC and length may be zeros; its commit and type, 8 bytes on, may not.
      return std::max(offset, there >= kAlignment ? there - kAlignment : there);
    }
    offset += bytes->size();
  }
  return limit;
}

Result<std::optional<LogRecord>> LogReader::next(std::uint64_t limit) {
  limit_ = limit;
  std::uint64_t offset = end_;
  while (offset + kFrameSize <= limit) {
    auto record = record_at(offset, limit);
    if (!record) return record.failure();
    if (*record) {
      commit_ = (*record)->frame.commit;
      end_ = static_cast<std::uint32_t>(offset + (*record)->frame.size());
      return record;
    }
    const auto further = skip_zeros(offset + kAlignment, limit);
    if (!further) return further.failure();
    offset = *further;
  }
  return std::nullopt;
}

Result<bool> LogReader::ends_clean() {
  window_.clear();
  const auto bytes = view(end_, kFrameSize);
  if (!bytes) return bytes.failure();
  return bytes->find_first_not_of('\0') == std::string_view::npos;
}

Result<LogScan> scan_log(Files& files,
                         const std::string& directory,
                         ScanFrom from,
                         LogVisitor& visitor) {
  return Scanner(files, directory, visitor).run(from);
}

}  // namespace conga
