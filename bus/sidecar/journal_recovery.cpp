// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/journal_recovery.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace conga::bus {
namespace {

/// A jump of sequence numbers that no crash explains.
constexpr Sequence kMaxJump = Sequence{1} << 24U;
constexpr Sequence kMaxSequence = Sequence{1} << 62U;

/// Names the place of a record that is whole and yet makes no sense.
tl::unexpected<Error> at(const LogPosition& position, const Error& error) {
  return fail(error.fault,
              segment_name(position.segment) + ": offset " + std::to_string(position.offset) + ": "
                  + error.what,
              error.code);
}

}  // namespace

std::size_t JournalRecovery::KeyHash::operator()(const Key& key) const noexcept {
  return (key.sequence * 0x9e3779b97f4a7c15U) ^ (std::uint64_t{key.name} << 7U);
}

void JournalRecovery::on_notes(const SegmentNotes& newest) {
  next_ = std::max<Sequence>(1, newest.first);
  low_water_ = newest.low_water;
  newest_ = WallTime(Duration(newest.time));
}

SegmentNotes JournalRecovery::notes_to_go_on(const SegmentNotes& newest) const {
  SegmentNotes notes = newest;
  notes.first = next_;
  notes.time = newest_.time_since_epoch().count();
  return notes;
}

Result<> JournalRecovery::on_record(const LogRecord& record) {
  Result<> done;
  switch (record.frame.type) {
    case kEventRecord:
      done = on_event(record);
      break;
    case kCarriedRecord:
      done = on_carried(record);
      break;
    case kSettledRecord:
      done = on_settled(record);
      break;
    case kRetryRecord:
      done = on_retry(record);
      break;
    default:
      done = fail(Fault::Corrupt,
                  "a record of the unknown type " + std::to_string(record.frame.type),
                  "DamagedJournal");
  }
  if (!done) return at(record.position, done.error());
  return {};
}

Result<> JournalRecovery::on_event(const LogRecord& record) {
  const auto event = read_event_record(record.payload);
  if (!event) return event.failure();
  const bool first = last_ == 0;
  const bool ascends = event->sequence > last_ && (first || event->sequence - last_ < kMaxJump);
  if (!ascends || event->sequence > kMaxSequence) {
    return fail(
        Fault::Corrupt,
        "event " + std::to_string(event->sequence) + " after event " + std::to_string(last_),
        "DamagedJournal");
  }
  const auto set = set_of(event->targets);
  if (!set) return set.failure();
  open_.add(event->sequence, record.position, *set);
  last_ = event->sequence;
  next_ = std::max(next_, last_ + 1);
  newest_ = std::max(newest_, event->ingested);
  return {};
}

Result<> JournalRecovery::on_carried(const LogRecord& record) {
  const auto event = read_event_record(record.payload);
  if (!event) return event.failure();
  const auto set = set_of(event->targets);
  if (!set) return set.failure();
  open_.carry(event->sequence, record.position, *set, low_water_);
  return {};
}

Result<> JournalRecovery::on_settled(const LogRecord& record) {
  const auto settled = read_settled_record(record.payload);
  if (!settled) return settled.failure();
  if (const auto name = open_.open_id(settled->sequence, settled->target)) {
    retries_.erase({settled->sequence, *name});
    open_.settle(settled->sequence, settled->target);
  }
  return {};
}

Result<> JournalRecovery::on_retry(const LogRecord& record) {
  const auto retry = read_retry_record(record.payload);
  if (!retry) return retry.failure();
  const auto name = open_.open_id(retry->sequence, retry->target);
  if (!name) return {};
  Retry& known = retries_[{retry->sequence, *name}];
  if (known.attempt == 0 || retry->sent < known.first) known.first = retry->sent;
  // Carrying repeats records, also older ones behind newer ones.
  if (retry->attempt < known.attempt) return {};
  known.attempt = retry->attempt;
  known.position = record.position;
  return {};
}

Result<OpenDeliveries::SetId> JournalRecovery::set_of(std::string_view encoded) {
  if (const auto known = open_.find_set(encoded)) return *known;
  std::string_view rest = encoded;
  const auto names = take_targets(rest);
  if (!names) return names.failure();
  return open_.intern(encoded, *names);
}

Result<> JournalRecovery::hand_over(RecordLog& log,
                                    const Recent& recent,
                                    RecoveryVisitor& visitor) {
  loose_ = open_.loose();
  const auto& segments = log.segments();
  for (std::size_t index = 0; index < segments.size(); ++index) {
    const bool newest = index + 1 == segments.size();
    // The next segment's notes say where and when this one ended.
    const bool old = !newest && segments[index + 1].notes.first <= recent.from
                     && WallTime(Duration(segments[index + 1].notes.time)) < recent.since;
    if (old && open_.open_in(segments[index].number) == 0) continue;
    auto done = hand_over_segment(log, segments[index], recent, visitor);
    if (!done) return done.failure();
  }
  return hand_over_loose(log, std::numeric_limits<Sequence>::max(), visitor);
}

Result<> JournalRecovery::hand_over_segment(RecordLog& log,
                                            const LogSegment& segment,
                                            const Recent& recent,
                                            RecoveryVisitor& visitor) {
  auto reader = log.reader({segment.number, kDataStart});
  if (!reader) return reader.failure();
  while (true) {
    const auto record = reader->next(segment.end);
    if (!record) return record.failure();
    if (!record->has_value() || (*record)->frame.type == kSealType) return {};
    if ((*record)->frame.type != kEventRecord) continue;
    const auto event = read_event_record((*record)->payload);
    if (!event) return at((*record)->position, event.error());
    if (event->sequence >= recent.from || event->ingested >= recent.since) {
      visitor.on_recent_event(event->event, event->ingested);
    }
    const EventRef ref{event->sequence, (*record)->position.number()};
    if (auto done = hand_over_loose(log, ref.sequence, visitor); !done) return done.failure();
    if (open_.moved_to(ref.sequence)) continue;
    if (auto done = hand_over_event(log, ref, *event, visitor); !done) return done.failure();
  }
}

/// Events that were carried, up to the sequence `before`, itself included.
Result<> JournalRecovery::hand_over_loose(RecordLog& log,
                                          Sequence before,
                                          RecoveryVisitor& visitor) {
  for (; loose_done_ < loose_.size() && loose_[loose_done_].first <= before; ++loose_done_) {
    const auto& [sequence, position] = loose_[loose_done_];
    const auto record = log.read(position);
    if (!record) return record.failure();
    const auto event = read_event_record(record->payload);
    if (!event) return at(position, event.error());
    const EventRef ref{sequence, position.number()};
    auto done = hand_over_event(log, ref, *event, visitor);
    if (!done) return done.failure();
  }
  return {};
}

Result<> JournalRecovery::hand_over_event(RecordLog& log,
                                          const EventRef& ref,
                                          const EventRecordView& event,
                                          RecoveryVisitor& visitor) {
  for (OpenDeliveries::OpenTarget& target : open_.open_targets(ref.sequence)) {
    PendingDelivery pending;
    pending.event = ref;
    pending.target = std::move(target.name);
    pending.ingested = event.ingested;
    pending.due = event.ingested;
    pending.again = event.again;
    const auto known = retries_.find({ref.sequence, target.id});
    if (known != retries_.end()) {
      const auto record = log.read(known->second.position);
      if (!record) return record.failure();
      const auto retry = read_retry_record(record->payload);
      if (!retry) return at(known->second.position, retry.error());
      pending.attempts = retry->attempt;
      pending.due = retry->due;
      pending.failed = retry->failed;
      pending.first_attempt = known->second.first;
      pending.last_attempt = retry->sent;
      pending.last_code = retry->code;
      pending.last_message = retry->message;
    }
    visitor.on_pending(pending);
  }
  return {};
}

}  // namespace conga::bus
