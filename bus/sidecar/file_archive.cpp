// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/file_archive.h"

#include "bus/sidecar/journal_format.h"

#include <algorithm>

namespace conga::bus {
namespace {

/// An archive that fills slowly begins a segment after this part of its age, so that what has
/// expired can go although the segment has room left.
constexpr int kSegmentsOfAge = 10;

/// What the last run left. That a commit is followed by another proves it to be whole.
class Left final : public LogVisitor {
public:
  void on_notes(const SegmentNotes& newest) override {
    durable = newest.first - 1;
    time = WallTime(Duration(newest.time));
  }

  Result<> on_record(const LogRecord& record) override {
    if (record.frame.commit > commit_) end_commit(record.frame.commit);
    if (record.frame.type != kEventRecord) return {};
    const auto event = read_event_record(record.payload);
    if (!event) return event.failure();
    last_commit.insert(event->sequence);
    time = std::max(time, event->ingested);
    if (record.position.segment != segment_) begun = event->ingested;
    segment_ = record.position.segment;
    return {};
  }

  SegmentNotes notes_to_go_on(const SegmentNotes& newest) const override {
    SegmentNotes notes = newest;
    notes.time = time.time_since_epoch().count();
    return notes;
  }

  Sequence durable = 0;
  std::set<Sequence> last_commit;
  WallTime time;
  std::optional<WallTime> begun;  ///< Of the newest segment's first event.

private:
  void end_commit(std::uint64_t next) {
    commit_ = next;
    if (!last_commit.empty()) durable = std::max(durable, *last_commit.rbegin());
    last_commit.clear();
  }

  std::uint64_t commit_ = 0;
  std::uint32_t segment_ = 0;
};

}  // namespace

Result<std::unique_ptr<FileArchive>> FileArchive::open(Files& files,
                                                       std::string directory,
                                                       std::uint32_t segment_size) {
  RecordLogOptions options;
  options.directory = std::move(directory);
  options.segment_size = segment_size;
  options.read_window = 0;
  options.spare_segments = 1;
  Left left;
  auto log = RecordLog::open(files, std::move(options), left);
  if (!log) return log.failure();
  std::unique_ptr<FileArchive> archive(new FileArchive);
  archive->log_ = std::move(*log);
  archive->newest_ = archive->durable_ = left.durable;
  archive->survived_ = std::move(left.last_commit);
  archive->newest_time_ = left.time;
  archive->begun_ = left.begun;
  archive->note_for_next_segment();
  return archive;
}

bool FileArchive::has(Sequence sequence) const {
  return sequence <= newest_ || survived_.contains(sequence);
}

/// The next start reads from the segment in which the last sync ended, for what came after it may
/// be there or not, however many segments it fills; what is older is told by the header.
void FileArchive::note_for_next_segment() {
  SegmentNotes notes;
  notes.low_water = log_->durable_end().segment;
  notes.first = durable_ + 1;
  notes.time = newest_time_.time_since_epoch().count();
  log_->set_notes(notes);
}

Result<> FileArchive::append(Sequence sequence, WallTime ingested, std::string_view event) {
  const auto targets = encode_targets({});  // It is owed to nobody.
  if (!targets) return targets.failure();
  const std::uint32_t before = log_->end().segment;
  const auto slot = log_->append(kEventRecord, event_record_size(*targets, event));
  if (!slot) return slot.failure();
  store_event_record(slot->payload, sequence, ingested, *targets, event);
  newest_ = sequence;
  newest_time_ = std::max(newest_time_, ingested);
  if (!begun_ || log_->end().segment != before) begun_ = ingested;
  note_for_next_segment();
  return {};
}

Result<> FileArchive::sync() {
  if (auto synced = log_->sync(); !synced) return synced;
  durable_ = newest_;
  note_for_next_segment();
  return {};
}

Result<> FileArchive::end_aged_segment(WallTime now, Duration age) {
  if (!begun_ || now - *begun_ < age / kSegmentsOfAge) return {};
  begun_.reset();
  return log_->begin_next();
}

Result<> FileArchive::maintain(WallTime now, const ArchiveRetention& retention) {
  if (auto prepared = log_->prepare(); !prepared) return prepared.failure();
  if (retention.age > Duration(0)) {
    if (auto ended = end_aged_segment(now, retention.age); !ended) {
      return ended.error().code == "DiskFull" ? Result<>() : ended;
    }
  }
  const auto& segments = log_->segments();
  if (segments.size() < 2) return {};
  const WallTime ended(Duration(segments[1].notes.time));
  const bool expired = retention.age > Duration(0) && now - ended > retention.age;
  const bool too_much = retention.bytes > 0 && log_->bytes_on_disk() > retention.bytes;
  return expired || too_much ? log_->drop_oldest() : Result<>();
}

}  // namespace conga::bus
