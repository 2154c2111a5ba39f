// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/file_journal.h"

#include "bus/sidecar/journal_format.h"
#include "bus/sidecar/journal_recovery.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace conga::bus {
namespace {

constexpr std::size_t kCarryStep = 256;       // Records looked at per maintain().
constexpr std::uint64_t kStragglers = 64;     // So few are always worth carrying.
constexpr std::size_t kFollowers = 4;         // Readers kept open.
constexpr std::uint64_t kMinSegment = 16384;  // As RecordLog.

std::uint64_t hold_back_of(const FileJournalOptions& options) {
  return std::min<std::uint64_t>(options.hold_back,
                                 std::max<std::uint64_t>(options.segment_size, kMinSegment) / 4);
}

std::string to_cursor(std::uint32_t segment, std::uint32_t offset) {
  return std::to_string(segment) + ":" + std::to_string(offset);
}

std::optional<LogPosition> from_cursor(const std::string& cursor) {
  const char* const end = cursor.data() + cursor.size();
  LogPosition position;
  const auto segment = std::from_chars(cursor.data(), end, position.segment);
  if (segment.ec != std::errc() || segment.ptr == end || *segment.ptr != ':') return std::nullopt;
  const auto offset = std::from_chars(segment.ptr + 1, end, position.offset);
  if (offset.ec != std::errc() || offset.ptr != end) return std::nullopt;
  return position;
}

bool repeats(std::span<const TargetName> targets) {
  std::vector<TargetName> sorted(targets.begin(), targets.end());
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) != sorted.end();
}

}  // namespace

Result<std::unique_ptr<FileJournal>> FileJournal::open(Files& files,
                                                       FileJournalOptions options,
                                                       WallTime now,
                                                       RecoveryVisitor& visitor) {
  std::unique_ptr<FileJournal> journal(new FileJournal(std::move(options)));
  const FileJournalOptions& chosen = journal->options_;
  RecordLogOptions log_options;
  log_options.directory = chosen.directory;
  log_options.segment_size = chosen.segment_size;
  log_options.read_window = chosen.read_window;
  log_options.accept_damage = chosen.accept_damage;
  log_options.read_ahead = chosen.read_ahead;
  log_options.committer = chosen.committer;
  log_options.filler = chosen.filler;
  log_options.hand_over_size = chosen.hand_over_size;

  JournalRecovery recovery(journal->open_);
  auto log = RecordLog::open(files, std::move(log_options), recovery);
  if (!log) return log.failure();
  journal->log_ = std::move(*log);
  journal->next_sequence_ = recovery.next_sequence();
  journal->last_time_ = recovery.newest();

  JournalRecovery::Recent recent;
  recent.since = now - chosen.dedup_horizon;
  const Sequence next = recovery.next_sequence();
  recent.from = next > chosen.dedup_count ? next - chosen.dedup_count : 1;
  auto handed_over = recovery.hand_over(*journal->log_, recent, visitor);
  if (!handed_over) return handed_over.failure();
  return journal;
}

Result<EventRef> FileJournal::append(WallTime ingested,
                                     std::span<const TargetName> targets,
                                     std::string_view event) {
  return append_named(ingested, targets, event, false);
}

Result<EventRef> FileJournal::append_owed(WallTime ingested,
                                          OwedTargets& targets,
                                          std::string_view event) {
  if (!targets.known_as) {
    const auto set = set_of(targets.names);
    if (!set) return set.failure();
    targets.known_as = *set;
  }
  return append_new(ingested, *targets.known_as, event, false);
}

Result<EventRef> FileJournal::append_again(WallTime ingested,
                                           std::span<const TargetName> targets,
                                           std::string_view event) {
  return append_named(ingested, targets, event, true);
}

Result<EventRef> FileJournal::append_named(WallTime ingested,
                                           std::span<const TargetName> targets,
                                           std::string_view event,
                                           bool again) {
  const auto set = set_of(targets);
  if (!set) return set.failure();
  return append_new(ingested, *set, event, again);
}

Result<EventRef> FileJournal::append_new(WallTime ingested,
                                         OpenDeliveries::SetId set,
                                         std::string_view event,
                                         bool again) {
  const auto ref = append_event({next_sequence_, ingested, again}, set, event);
  if (!ref) return ref.failure();
  open_.add(ref->sequence, LogPosition::from_number(ref->position), set);
  ++next_sequence_;
  ++events_;
  must_survive_ = true;
  return ref;
}

Result<OpenDeliveries::SetId> FileJournal::set_of(std::span<const TargetName> targets) {
  const auto encoded = encode_targets(targets);
  if (!encoded) return encoded.failure();
  if (const auto known = open_.find_set(*encoded)) return *known;
  if (repeats(targets)) {
    return fail(Fault::Permanent, "an event names the same target twice", "DuplicateTarget");
  }
  return open_.intern(*encoded, {targets.begin(), targets.end()});
}

Result<EventRef> FileJournal::append_event(const EventHead& head,
                                           OpenDeliveries::SetId set,
                                           std::string_view event) {
  note_for_next_segment(head.ingested);
  const std::string& encoded = open_.set(set).encoded;
  const auto slot =
      log_->append(kEventRecord, event_record_size(encoded, event), hold_back_of(options_));
  if (!slot) {
    if (slot.error().code != "DiskFull") return slot.failure();
    return fail(Fault::Transient,
                slot.error().what + "; the journal takes no events until space is freed",
                "JournalFull");
  }
  store_event_record(slot->payload, head.sequence, head.ingested, encoded, event, head.again);
  return EventRef{head.sequence, slot->position.number()};
}

void FileJournal::note_for_next_segment(WallTime time) {
  last_time_ = std::max(last_time_, time);
  SegmentNotes notes;
  notes.low_water = open_.low_water(log_->end().segment);
  notes.first = next_sequence_;
  notes.time = last_time_.time_since_epoch().count();
  log_->set_notes(notes);
}

template <class Record>
Result<> FileJournal::append_outcome(std::uint8_t type, const Record& record, WallTime at) {
  note_for_next_segment(at);
  const auto slot = log_->append(type, record_size(record));
  if (slot) {
    store_record(slot->payload, record);
    return {};
  }
  if (slot.error().code != "DiskFull") return slot.failure();
  // All the room held back is used up. What is not recorded costs a repeat after a restart, and
  // that is better than to stop delivering.
  ++unrecorded_;
  return {};
}

Result<> FileJournal::append(const SettledRecord& record) {
  auto done = append_outcome(kSettledRecord, record, record.at);
  if (done) open_.settle(record.sequence, record.target);
  return done;
}

Result<> FileJournal::append(const RetryRecord& record) {
  return append_outcome(kRetryRecord, record, record.failed);
}

Result<> FileJournal::sync() {
  if (!must_survive_) return log_->flush();
  if (auto synced = log_->sync(); !synced) return synced.failure();
  must_survive_ = false;
  dirty_since_.reset();
  return {};
}

Result<bool> FileJournal::begin_sync() {
  if (!must_survive_) {
    if (auto flushed = log_->flush(); !flushed) return flushed.failure();
    return true;
  }
  must_survive_ = false;
  dirty_since_.reset();
  return log_->begin_sync();
}

Result<bool> FileJournal::poll_sync() {
  return log_->poll_sync();
}

Result<StoredEvent> FileJournal::read(const EventRef& ref) {
  LogPosition position = LogPosition::from_number(ref.position);
  if (const auto moved = open_.moved_to(ref.sequence)) position = *moved;
  auto record = log_->read(position);
  if (!record) return record.failure();
  const auto view = read_event_record(record->payload);
  if (!view || view->sequence != ref.sequence) {
    return fail(Fault::Corrupt,
                options_.directory + "/" + segment_name(position.segment) + ": no event "
                    + std::to_string(ref.sequence) + " at offset "
                    + std::to_string(position.offset),
                "DamagedJournal");
  }
  StoredEvent event;
  event.sequence = view->sequence;
  event.ingested = view->ingested;
  event.again = view->again;
  std::string_view encoded = view->targets;
  auto targets = take_targets(encoded);
  if (!targets) return targets.failure();
  event.targets = std::move(*targets);
  record->payload.erase(0, record->payload.size() - view->event.size());
  event.bytes = std::move(record->payload);
  return event;
}

Result<FileJournal::Follower> FileJournal::follower_at(std::string& cursor) {
  const std::uint32_t oldest = log_->segments().front().number;
  LogPosition position{oldest, kDataStart};
  if (!cursor.empty()) {
    const auto parsed = from_cursor(cursor);
    if (!parsed) {
      return fail(Fault::Permanent, "not a cursor of this journal: " + cursor, "BadCursor");
    }
    const auto known = std::ranges::find(followers_, cursor, &Follower::cursor);
    if (known != followers_.end() && parsed->segment >= oldest) {
      Follower follower = std::move(*known);
      followers_.erase(known);
      return follower;
    }
    // Below the oldest record, or of a journal that is no more: begin anew.
    const bool inside = parsed->segment >= oldest && *parsed <= log_->durable_end();
    if (inside) position = *parsed;
  }
  auto reader = log_->reader(position);
  if (!reader) return reader.failure();
  return Follower{cursor, std::move(*reader)};
}

std::uint64_t FileJournal::end_of(std::uint32_t segment) const {
  const auto found = std::ranges::find(log_->segments(), segment, &LogSegment::number);
  return found == log_->segments().end() ? 0 : found->end;
}

/// To the next segment; false if there is nothing durable in it yet.
Result<bool> FileJournal::move_on(Follower& follower) {
  if (follower.reader.segment() >= log_->durable_end().segment) return false;
  auto reader = log_->reader({follower.reader.segment() + 1, kDataStart});
  if (!reader) return reader.failure();
  follower.reader = std::move(*reader);
  return true;
}

Result<std::vector<JournalEntry>> FileJournal::follow(std::string& cursor, std::size_t limit) {
  auto follower = follower_at(cursor);
  if (!follower) return follower.failure();
  std::vector<JournalEntry> entries;
  while (entries.size() < limit) {
    const LogPosition durable = log_->durable_end();
    const bool newest = follower->reader.segment() == durable.segment;
    const auto record = follower->reader.next(newest ? durable.offset : options_.segment_size);
    if (!record) return record.failure();
    const bool over = !record->has_value() || (*record)->frame.type == kSealType;
    if (over) {
      const auto moved = move_on(*follower);
      if (!moved) return moved.failure();
      if (!*moved) break;
      continue;
    }
    auto entry = entry_of(**record);
    if (!entry) return entry.failure();
    if (entry->has_value()) entries.push_back(std::move(**entry));
  }
  cursor = to_cursor(follower->reader.segment(), follower->reader.end());
  follower->cursor = cursor;
  if (followers_.size() >= kFollowers) followers_.erase(followers_.begin());
  followers_.push_back(std::move(*follower));
  return entries;
}

Result<std::optional<JournalEntry>> FileJournal::entry_of(const LogRecord& record) const {
  JournalEntry entry;
  if (record.frame.type == kSettledRecord) {
    auto settled = read_settled_record(record.payload);
    if (!settled) return settled.failure();
    entry.kind = JournalEntry::Kind::Settled;
    entry.settled = std::move(*settled);
    return entry;
  }
  if (record.frame.type == kRetryRecord) {
    auto retry = read_retry_record(record.payload);
    if (!retry) return retry.failure();
    entry.kind = JournalEntry::Kind::Retry;
    entry.retry = std::move(*retry);
    return entry;
  }
  const bool carried = record.frame.type == kCarriedRecord;
  if (record.frame.type != kEventRecord && !carried) return std::nullopt;
  const auto event = read_event_record(record.payload);
  if (!event) return event.failure();
  // A carried event is news only if the original is gone.
  if (carried && event->sequence >= log_->segments().front().notes.first) return std::nullopt;
  std::string_view encoded = event->targets;
  auto targets = take_targets(encoded);
  if (!targets) return targets.failure();
  entry.ref = {event->sequence, record.position.number()};
  entry.event = {event->sequence,
                 event->ingested,
                 std::move(*targets),
                 std::string(event->event),
                 event->again};
  return entry;
}

/// A segment's notes say when it began, so nothing in those before the last one that began no later
/// was ingested since.
std::string FileJournal::cursor_at(WallTime since) const {
  const auto& segments = log_->segments();
  std::uint32_t from = segments.front().number;
  for (const LogSegment& segment : segments) {
    if (WallTime(Duration(segment.notes.time)) < since) from = segment.number;
  }
  return to_cursor(from, kDataStart);
}

void FileJournal::keep_from(std::span<const std::string> cursors) {
  kept_from_.reset();
  for (const std::string& cursor : cursors) {
    const auto position = from_cursor(cursor);
    const std::uint32_t segment = position ? position->segment : 0;
    kept_from_ = std::min(kept_from_.value_or(segment), segment);
  }
}

Result<> FileJournal::maintain(WallTime now) {
  if (!log_->dirty()) {
    dirty_since_.reset();
  } else if (!dirty_since_ || *dirty_since_ > now) {
    dirty_since_ = now;
  } else if (now - *dirty_since_ >= options_.sync_delay) {
    if (auto synced = log_->sync(); !synced) return synced.failure();
    must_survive_ = false;
    dirty_since_.reset();
  }
  if (auto prepared = log_->prepare(); !prepared) return prepared.failure();
  return retire(now);
}

bool FileJournal::oldest_expired(WallTime now) const {
  const auto& segments = log_->segments();
  if (segments.size() < 2) return false;
  const WallTime ended(Duration(segments[1].notes.time));
  return now - ended > options_.retention_age || log_->bytes_on_disk() > options_.retention_bytes;
}

Result<> FileJournal::retire(WallTime now) {
  if (carrying_) return carry_some();
  if (!oldest_expired(now)) return {};
  const std::uint32_t oldest = log_->segments().front().number;
  if (kept_from_ && oldest >= *kept_from_) return {};
  const std::uint64_t open = open_.open_in(oldest);
  // Rewriting a backlog gains nothing: it stays where it is until it shrinks.
  if (open > std::max(kStragglers, open_.events_in(oldest) / 4)) return {};
  if (open > 0 || open_.any_loose()) return start_carrying();
  if (auto dropped = log_->drop_oldest(); !dropped) return dropped.failure();
  open_.drop_below(log_->segments().front().number);
  return {};
}

Result<> FileJournal::start_carrying() {
  const std::uint32_t oldest = log_->segments().front().number;
  auto reader = log_->reader({oldest, kDataStart});
  if (!reader) return reader.failure();
  carrying_ = Carrying{oldest, std::move(*reader)};
  return carry_some();
}

/// Appends again what the segment holds about open deliveries, a step at a time, and drops it.
Result<> FileJournal::carry_some() {
  for (std::size_t step = 0; step < kCarryStep; ++step) {
    const auto record = carrying_->reader.next(end_of(carrying_->segment));
    if (!record) return record.failure();
    if (!record->has_value() || (*record)->frame.type == kSealType) {
      carrying_.reset();
      if (auto synced = log_->sync(); !synced) return synced.failure();
      must_survive_ = false;
      if (auto dropped = log_->drop_oldest(); !dropped) return dropped.failure();
      open_.drop_below(log_->segments().front().number);
      return {};
    }
    const auto carried = carry(**record);
    if (carried) continue;
    carrying_.reset();
    // Later, from the start: what has been carried twice is harmless.
    if (carried.error().code == "DiskFull") return {};
    return carried.failure();
  }
  return {};
}

Result<> FileJournal::carry(const LogRecord& record) {
  if (record.frame.type == kEventRecord || record.frame.type == kCarriedRecord) {
    return carry_event(record);
  }
  if (record.frame.type != kRetryRecord) return {};
  const auto retry = read_retry_record(record.payload);
  if (!retry) return retry.failure();
  if (!open_.open_id(retry->sequence, retry->target)) return {};
  note_for_next_segment(last_time_);
  const auto slot = log_->append(kRetryRecord, record.payload.size(), hold_back_of(options_) / 2);
  if (!slot) return slot.failure();
  std::memcpy(slot->payload, record.payload.data(), record.payload.size());
  return {};
}

Result<> FileJournal::carry_event(const LogRecord& record) {
  const auto event = read_event_record(record.payload);
  if (!event) return event.failure();
  const LogPosition now_at = open_.moved_to(event->sequence).value_or(record.position);
  if (now_at != record.position) return {};
  std::vector<TargetName> names;
  for (auto& target : open_.open_targets(event->sequence)) names.push_back(std::move(target.name));
  if (names.empty()) return {};
  const auto encoded = encode_targets(names);
  if (!encoded) return encoded.failure();
  const auto set = open_.intern(*encoded, names);
  note_for_next_segment(last_time_);
  const auto slot = log_->append(
      kCarriedRecord, event_record_size(*encoded, event->event), hold_back_of(options_) / 2);
  if (!slot) return slot.failure();
  store_event_record(
      slot->payload, event->sequence, event->ingested, *encoded, event->event, event->again);
  open_.carry(event->sequence, slot->position, set, record.position.segment);
  return {};
}

StoreStats FileJournal::stats() const {
  StoreStats stats;
  stats.events = events_;
  stats.bytes = log_->bytes_on_disk();
  stats.segments = log_->segments().size();
  stats.oldest_segment = log_->segments().front().number;
  stats.low_water = open_.lowest_open(log_->end().segment);
  stats.pins = open_.open_in(stats.oldest_segment);
  stats.next_sequence = next_sequence_;
  stats.syncs = log_->syncs();
  stats.unrecorded = unrecorded_;
  return stats;
}

}  // namespace conga::bus
