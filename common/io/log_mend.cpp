// SPDX-License-Identifier: Apache-2.0

#include "common/io/log_mend.h"

#include "common/io/little_endian.h"

#include <algorithm>
#include <cstddef>

namespace conga {
namespace {

class Mender {
public:
  Mender(const LogScan& scan, const ScannedSegment& segment, File& file)
      : scan_(scan), segment_(segment), file_(file) {}

  Result<> mend_header(std::uint32_t segment_size) {
    if (segment_.header_good) return {};
    SegmentHeader header = segment_.header;
    if (header.size == 0) header.size = segment_size;
    return file_.write(0, encode_header(header));
  }

  Result<> mend_gaps() {
    for (const LogDamage& damage : scan_.damage) {
      if (damage.position.segment != segment_.header.number) continue;
      if (damage.position.offset < kDataStart || damage.length < kFrameSize) continue;
      auto mended = damage.position.offset < segment_.end ? fill(damage) : end_clean(damage);
      if (!mended) return mended.failure();
    }
    return {};
  }

  Result<> seal() {
    std::string record(kSealSize, '\0');
    store_little(record.data() + kFrameSize, std::uint64_t{segment_.header.number} + 1);
    return put_record(record, kSealType, segment_.end_commit, segment_.end);
  }

  /// A file that was cut short will grow again, by zeros, and they might be just what a record cut
  /// in its padding lacks. So nothing stays behind the last record of such a file.
  Result<> clear_cut_tail(std::uint32_t segment_size) {
    const auto size = file_.size();
    if (!size) return size.failure();
    if (*size >= segment_size || *size <= segment_.end) return {};
    return file_.write(segment_.end, std::string(*size - segment_.end, '\0'));
  }

  Result<> sync() { return file_.sync(); }

private:
  /// A gap between records. What it holds stays readable for whoever wants to look at it.
  Result<> fill(const LogDamage& damage) {
    std::string record(damage.length, '\0');
    if (auto got = file_.read(damage.position.offset, record); !got) return got.failure();
    return put_record(record, kVoidType, damage.commit, damage.position.offset);
  }

  /// Behind the last record: an empty frame, as a writer leaves it.
  Result<> end_clean(const LogDamage& damage) {
    return file_.write(damage.position.offset, std::string(kFrameSize, '\0'));
  }

  Result<> put_record(std::string& record,
                      std::uint8_t type,
                      std::uint64_t commit,
                      std::uint32_t offset) {
    RecordFrame frame;
    frame.length = static_cast<std::uint32_t>(record.size() - kFrameSize);
    frame.commit = commit;
    frame.type = type;
    store_frame(record.data(), frame);
    store_record_crc(record.data(), record.size(), {segment_.header.number, offset});
    return file_.write(offset, record);
  }

  const LogScan& scan_;
  const ScannedSegment& segment_;
  File& file_;
};

bool has_damage(const LogScan& scan, std::uint32_t number) {
  return std::ranges::any_of(scan.damage, [number](const LogDamage& damage) {
    return damage.position.segment == number && damage.length != 0;
  });
}

/// What mend_log() has to do in one segment.
struct Repairs {
  bool any = false;
  bool seal = false;            ///< A crash left an older segment without its seal.
  bool clear_cut_tail = false;  ///< The segment will be written on.
};

Repairs repairs_of(const LogScan& scan, const ScannedSegment& segment) {
  const std::uint32_t number = segment.header.number;
  const bool newest = number == scan.segments.back().header.number;
  // Commit n is written only when n - 1 is durable, and recovery relies on that. What a killed
  // process wrote and did not sync is in the page cache alone; the next commit's number would
  // say otherwise.
  const bool last_commit = segment.scanned && segment.end_commit == scan.last_commit;
  Repairs repairs;
  repairs.seal = segment.scanned && !segment.sealed && !newest;
  repairs.clear_cut_tail = newest && !segment.sealed;
  repairs.any = repairs.seal || last_commit || has_damage(scan, number);
  return repairs;
}

Result<> mend_segment(Mender mender, const Repairs& repairs, std::uint32_t segment_size) {
  if (auto done = mender.mend_header(segment_size); !done) return done.failure();
  if (auto done = mender.mend_gaps(); !done) return done.failure();
  if (repairs.seal) {
    if (auto done = mender.seal(); !done) return done.failure();
  }
  if (repairs.clear_cut_tail) {
    if (auto done = mender.clear_cut_tail(segment_size); !done) return done.failure();
  }
  return mender.sync();
}

}  // namespace

Result<> mend_log(Files& files,
                  const std::string& directory,
                  const LogScan& scan,
                  std::uint32_t segment_size) {
  for (const ScannedSegment& segment : scan.segments) {
    const Repairs repairs = repairs_of(scan, segment);
    if (!repairs.any) continue;
    auto file =
        files.open(directory + "/" + segment_name(segment.header.number), OpenMode::ReadWrite);
    if (!file) return file.failure();
    const auto mended = mend_segment(Mender(scan, segment, **file), repairs, segment_size);
    if (!mended) return mended.failure();
  }
  return {};
}

}  // namespace conga
