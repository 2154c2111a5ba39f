// SPDX-License-Identifier: Apache-2.0

#include "common/io/record_log.h"

#include "common/core/check.h"
#include "common/io/little_endian.h"
#include "common/io/log_mend.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace conga {
namespace {

constexpr std::string_view kSparePrefix = "spare-";
constexpr std::string_view kLockName = "lock";
constexpr std::size_t kOpenReaders = 8;
constexpr std::uint32_t kPage = 4096;
constexpr std::uint32_t kMinSegment = 4 * kPage;
constexpr std::uint32_t kMaxSegment = std::uint32_t{2} << 30U;

Result<> check(const RecordLogOptions& options) {
  const std::uint32_t size = options.segment_size;
  if (size < kMinSegment || size > kMaxSegment || size % kPage != 0) {
    return fail(Fault::Permanent,
                "journal segment size " + std::to_string(size)
                    + ": must be 16 KiB to 2 GiB and a multiple of 4 KiB");
  }
  return {};
}

/// The directory cannot be made or locked: adds what to do about it.
tl::unexpected<Error> unusable(const Error& error) {
  std::string_view remedy =
      "; the journal needs a directory that this user may write to: change its owner, or "
      "journal.directory";
  if (error.code == "Locked") remedy = "; stop that one, or change journal.directory";
  if (error.code == "DiskFull") remedy = "; free space there, or change journal.directory";
  return fail(error.fault, error.what + std::string(remedy), error.code);
}

std::string place_of(const LogDamage& damage) {
  if (damage.length == 0) return segment_name(damage.position.segment) + ": missing";
  return segment_name(damage.position.segment) + ": damaged at offset "
         + std::to_string(damage.position.offset) + " (" + std::to_string(damage.length)
         + " bytes)";
}

}  // namespace

Result<std::unique_ptr<RecordLog>> RecordLog::open(Files& files,
                                                   RecordLogOptions options,
                                                   LogVisitor& visitor) {
  if (auto valid = check(options); !valid) return valid.failure();
  if (auto made = files.make_directory(options.directory); !made) return unusable(made.error());
  std::unique_ptr<RecordLog> log(new RecordLog(files, std::move(options)));
  auto lock = files.lock(log->path_of(std::string(kLockName)));
  if (!lock) return unusable(lock.error());
  log->lock_ = std::move(*lock);
  const RecordLogOptions& chosen = log->options_;
  Files& reading = chosen.read_ahead ? log->ahead_ : files;
  auto scan = scan_log(reading, chosen.directory, ScanFrom::LowWater, visitor);
  if (!scan) return scan.failure();
  if (!scan->segments.empty()) {
    log->notes_ = visitor.notes_to_go_on(scan->segments.back().header.notes);
  }
  if (auto started = log->start(std::move(*scan)); !started) return started.failure();
  return log;
}

RecordLog::~RecordLog() {
  if (under_way_) static_cast<void>(options_.committer->wait());
  const bool filling = std::ranges::any_of(spares_, &Spare::filling);
  if (filling) static_cast<void>(options_.filler->wait());
}

Result<> RecordLog::start(LogScan scan) {
  const auto corrupt = std::ranges::find(scan.damage, LogDamage::Kind::Corrupt, &LogDamage::kind);
  if (corrupt != scan.damage.end() && !options_.accept_damage) return refuse_damage(*corrupt);
  if (auto found = find_spares(scan.segments.empty()); !found) return found.failure();
  commit_ = scan.last_commit + 1;
  if (scan.segments.empty()) {
    if (auto begun = begin_segment(1); !begun) return begun;
    // Full at once: a file that grows makes every sync of it slower.
    while (active_.allocated < options_.segment_size && fill_ahead()) {
    }
    return {};
  }
  auto mended = mend_log(files_, options_.directory, scan, options_.segment_size);
  if (!mended) return mended.failure();
  damage_ = scan.damage;
  return resume(scan);
}

Result<> RecordLog::resume(const LogScan& scan) {
  for (const ScannedSegment& segment : scan.segments) {
    const SegmentHeader& header = segment.header;
    const std::uint32_t bound = header.size == 0 ? kMaxSegment : header.size;
    const std::uint32_t end = segment.scanned ? segment.end : bound;
    segments_.push_back({header.number, end, header.size, header.commit, header.notes});
  }
  const ScannedSegment& newest = scan.segments.back();
  // A sealed newest segment: a crash came between the seal and the next segment's name.
  if (newest.sealed) return begin_segment(newest.header.number + 1);
  auto file = files_.open(path_of(segment_name(newest.header.number)), OpenMode::ReadWrite);
  if (!file) return file.failure();
  const auto size = (*file)->size();
  if (!size) return size.failure();
  active_ = {newest.header.number, std::move(*file), *size};
  written_ = end_ = newest.end;
  tail_.begin(end_);
  durable_end_ = end();
  return {};
}

Result<> RecordLog::refuse_damage(const LogDamage& damage) const {
  return fail(Fault::Corrupt,
              options_.directory + "/" + place_of(damage)
                  + ": durable records were lost there; restore the directory from a copy, or start"
                    " once with accept-damage to go on without them"
                    " (`conga journal verify` lists all damage)",
              "DamagedJournal");
}

Result<> RecordLog::find_spares(bool log_is_empty) {
  const auto names = files_.list(options_.directory);
  if (!names) return names.failure();
  for (const std::string& name : *names) {
    if (!name.starts_with(kSparePrefix)) continue;
    auto file = files_.open(path_of(name), OpenMode::ReadWrite);
    if (!file) return file.failure();
    const auto size = (*file)->size();
    if (!size) return size.failure();
    // Numbers begin anew in an empty log, so old records could pass for new ones.
    if (log_is_empty || *size > options_.segment_size) {
      if (auto removed = files_.remove(path_of(name)); !removed) return removed.failure();
      continue;
    }
    spares_.push_back({name, std::move(*file), *size, false});
  }
  return {};
}

/// A new newest segment, empty and durably named. Its predecessor must have its seal.
Result<> RecordLog::begin_segment(std::uint32_t number) {
  if (auto filled = finish_filling(); !filled) return filled;
  if (spares_.empty()) {
    if (auto made = make_spare(); !made) return made.failure();
  }
  const auto spare = std::ranges::max_element(spares_, {}, &Spare::allocated);
  SegmentHeader header;
  header.number = number;
  header.size = options_.segment_size;
  header.commit = commit_;
  header.notes = notes_;
  // The header, and the empty frame at which a reader of the new lap stops.
  const std::string start = encode_header(header) + std::string(kFrameSize, '\0');
  if (auto put = spare->file->write(0, start); !put) return put.failure();
  if (auto synced = spare->file->sync(); !synced) return synced.failure();
  auto named = files_.rename(path_of(spare->name), path_of(segment_name(number)));
  if (!named) return named.failure();
  if (auto synced = files_.sync_directory(options_.directory); !synced) return synced.failure();

  // Opened by its new name, so that errors tell it.
  auto file = files_.open(path_of(segment_name(number)), OpenMode::ReadWrite);
  if (!file) return file.failure();
  const std::uint64_t allocated = std::max<std::uint64_t>(spare->allocated, start.size());
  active_ = {number, std::move(*file), allocated};
  spares_.erase(spare);
  segments_.push_back({number, kDataStart, options_.segment_size, commit_, notes_});
  written_ = end_ = kDataStart;
  tail_.begin(end_);
  if (durable_end_.segment == 0) durable_end_ = end();
  return {};
}

Result<> RecordLog::roll() {
  char* const next = extend(kSealType, sizeof(std::uint64_t));
  store_little(next, std::uint64_t{active_.number} + 1);
  segments_.back().end = end_;
  if (auto written = flush(); !written) return written.failure();
  unsynced_.push_back(std::move(active_.file));
  return die(begin_segment(active_.number + 1));
}

Result<> RecordLog::begin_next() {
  if (end_ == kDataStart) return check_alive();
  if (auto synced = sync(); !synced) return synced;
  if (auto room = ensure_room(0, 0); !room) return room;
  if (auto rolled = roll(); !rolled) return rolled;
  return sync();
}

Result<> RecordLog::make_spare() {
  std::uint32_t number = 1;
  const auto taken = [this](const std::string& name) {
    return std::ranges::find(spares_, name, &Spare::name) != spares_.end();
  };
  while (taken(std::string(kSparePrefix) + std::to_string(number))) ++number;
  Spare spare;
  spare.name = std::string(kSparePrefix) + std::to_string(number);
  auto file = files_.open(path_of(spare.name), OpenMode::Create);
  if (!file) return file.failure();
  spare.file = std::move(*file);
  spares_.push_back(std::move(spare));
  return {};
}

/// How much of a segment is filled next.
std::uint64_t RecordLog::next_step(std::uint64_t allocated) const {
  return std::min<std::uint64_t>(options_.segment_size - allocated, options_.zero_step);
}

Result<> RecordLog::fill(File& file, std::uint64_t& allocated) {
  const std::uint64_t size = next_step(allocated);
  if (auto put = file.write_zeros(allocated, size); !put) return put.failure();
  file.write_back(allocated, size);
  allocated += size;
  return {};
}

/// Allocates one step more: in the newest segment, then in a spare one.
Result<> RecordLog::grow() {
  if (active_.allocated < options_.segment_size) {
    if (auto free = wait_for_commit(); !free) return free;
    return fill(*active_.file, active_.allocated);
  }
  if (auto filled = finish_filling(); !filled) return filled;
  const auto unfinished = [this](const Spare& spare) {
    return spare.allocated < options_.segment_size;
  };
  auto spare = std::ranges::find_if(spares_, unfinished);
  if (spare == spares_.end()) {
    if (auto made = make_spare(); !made) return made.failure();
    spare = spares_.end() - 1;
  }
  return fill(*spare->file, spare->allocated);
}

/// grow(), but for a full disk, which matters only once the room is needed. False: nothing done.
bool RecordLog::fill_ahead() {
  const bool active_full = active_.allocated >= options_.segment_size;
  if (active_full && filled_spare() != nullptr) return false;
  if (active_full && options_.filler != nullptr) {
    // An error is told where it stands in the way: by prepare(), or when the room is needed.
    if (poll_filling().value_or(false)) begin_filling();
    return false;
  }
  return grow().has_value();
}

/// Null: none is ready to be the next segment.
RecordLog::Spare* RecordLog::filled_spare() {
  const auto spare = std::ranges::find_if(
      spares_, [this](const Spare& each) { return each.allocated >= options_.segment_size; });
  return spare == spares_.end() ? nullptr : &*spare;
}

/// Gives the filler, which is free, a step of a spare segment. No more at a time, or a commit
/// would have to wait until the disk has it all. That there is no room matters only once the room
/// is needed.
void RecordLog::begin_filling() {
  if (spares_.empty() && !make_spare()) return;
  Spare& spare = spares_.front();
  spare.filling = true;
  options_.filler->begin(
      [file = spare.file.get(), from = spare.allocated, size = next_step(spare.allocated)] {
        return file->write_zeros(from, size);
      });
}

/// False: it is still at it.
Result<bool> RecordLog::poll_filling() {
  if (std::ranges::none_of(spares_, &Spare::filling)) return true;
  const auto filled = options_.filler->take();
  if (!filled) return false;
  if (auto ended = end_filling(*filled); !ended) return ended.failure();
  return true;
}

/// Waits for the filler: a step is all that it has.
Result<> RecordLog::finish_filling() {
  if (std::ranges::none_of(spares_, &Spare::filling)) return {};
  return end_filling(options_.filler->wait());
}

Result<> RecordLog::end_filling(const Result<>& filled) {
  const auto spare = std::ranges::find_if(spares_, &Spare::filling);
  spare->filling = false;
  const auto size = spare->file->size();
  if (!size) return size.failure();
  spare->allocated = std::min<std::uint64_t>(*size, options_.segment_size);
  return filled || filled.error().code == "DiskFull" ? Result<>() : filled;
}

Result<bool> RecordLog::prepare() {
  if (auto alive = check_alive(); !alive) return alive.failure();
  const auto free = poll_filling();
  if (!free || !*free) return free;
  const bool active_full = active_.allocated >= options_.segment_size;
  Spare* const spare = filled_spare();
  if (active_full && spare != nullptr) {
    if (spare->synced) return false;
    if (auto synced = die(spare->file->sync()); !synced) return synced.failure();
    spare->synced = true;
    return false;
  }
  if (active_full && options_.filler != nullptr) {
    begin_filling();
    return true;
  }
  const auto grown = grow();
  if (grown) return true;
  if (grown.error().code == "DiskFull") return false;
  return grown.failure();
}

bool RecordLog::spare_takes(std::uint64_t size) const {
  return std::ranges::any_of(spares_, [size](const Spare& spare) {
    return spare.allocated >= kDataStart + size + kSealSize;
  });
}

bool RecordLog::has_room(std::uint64_t size, std::uint64_t hold_back) const {
  std::uint64_t spare_room = 0;
  for (const Spare& spare : spares_) {
    const std::uint64_t used = kDataStart + kSealSize;
    if (spare.allocated > used) spare_room += spare.allocated - used;
  }
  if (end_ + size + kSealSize <= options_.segment_size) {
    const std::uint64_t needed = end_ + size + kSealSize;
    return active_.allocated >= needed && active_.allocated - needed + spare_room >= hold_back;
  }
  return spare_takes(size) && spare_room >= size + hold_back;
}

Result<> RecordLog::ensure_room(std::uint64_t size, std::uint64_t hold_back) {
  while (!has_room(size, hold_back)) {
    if (auto grown = grow(); !grown) return grown.failure();
  }
  return {};
}

Result<RecordLog::Slot> RecordLog::append(std::uint8_t type,
                                          std::size_t size,
                                          std::uint64_t hold_back) {
  if (auto alive = check_alive(); !alive) return alive.failure();
  CONGA_CHECK(type >= kFirstUserType && type <= kLastType, "a record type out of range");
  if (size > max_payload()) {
    return fail(Fault::Permanent,
                options_.directory + ": a record of " + std::to_string(size)
                    + " bytes does not fit a segment",
                "RecordTooLarge");
  }
  const RecordFrame frame{static_cast<std::uint32_t>(size), 0, type, false};
  const auto room = ensure_room(frame.size(), hold_back);
  if (!room) {
    // The newest segment may be unable to grow although an allocated one is at hand.
    const bool elsewhere = hold_back == 0 && spare_takes(frame.size());
    if (!elsewhere || active_.allocated < end_ + kSealSize) return room.failure();
  }
  if (!room || end_ + frame.size() + kSealSize > options_.segment_size) {
    if (auto rolled = roll(); !rolled) return rolled.failure();
  }
  // Byte for byte, so that the next segment is ready when this one is full, however busy it is.
  unpaid_ += frame.size();
  if (unpaid_ >= options_.zero_step) {
    unpaid_ = 0;
    fill_ahead();
  }
  const LogPosition position = end();
  return Slot{position, extend(type, size)};
}

char* RecordLog::extend(std::uint8_t type, std::size_t size) {
  const RecordFrame frame{static_cast<std::uint32_t>(size), commit_, type, first_of_commit_};
  char* const at = tail_.extend(frame.size());
  store_frame(at, frame);
  // The padding is part of what the CRC covers.
  std::memset(at + kFrameSize + size, 0, frame.size() - kFrameSize - size);
  end_ += static_cast<std::uint32_t>(frame.size());
  first_of_commit_ = false;
  dirty_ = true;
  return at + kFrameSize;
}

/// The records of the segment from `from` to `to` get their CRC; `bytes` are theirs.
void RecordLog::finish_records(char* bytes, LogPosition from, std::uint32_t to) {
  while (from.offset < to) {
    const std::uint64_t size = load_frame(bytes).size();
    store_record_crc(bytes, size, from);
    from.offset += static_cast<std::uint32_t>(size);
    bytes += size;
  }
}

Result<> RecordLog::flush() {
  if (auto free = wait_for_commit(); !free) return free;
  if (written_ == end_) return {};
  char* const bytes = tail_.fresh(written_);
  finish_records(bytes, {active_.number, written_}, end_);
  auto put = active_.file->write_end(written_, {bytes, end_ - written_}, zeros_behind());
  if (!put) return die(put);
  written_ = end_;
  segments_.back().end = end_;
  if (tail_.fresh_size() >= options_.read_window) tail_.turn_over();
  return {};
}

/// An empty frame marks the end, where the bytes of an earlier lap or commit may follow.
std::size_t RecordLog::zeros_behind() const {
  const std::uint64_t room = std::max<std::uint64_t>(active_.allocated, end_) - end_;
  return std::min<std::uint64_t>(kFrameSize, room);
}

Result<> RecordLog::sync() {
  if (auto free = wait_for_commit(); !free) return free;
  if (!dirty_) return {};
  if (auto written = flush(); !written) return written.failure();
  for (const auto& file : unsynced_) {
    if (auto synced = die(file->sync()); !synced) return synced.failure();
  }
  unsynced_.clear();
  if (auto synced = die(active_.file->sync()); !synced) return synced.failure();
  ++syncs_;
  note_commit();
  durable_end_ = end();
  return {};
}

/// What is appended from now on is of another commit.
void RecordLog::note_commit() {
  ++commit_;
  first_of_commit_ = true;
  dirty_ = false;
}

Result<bool> RecordLog::begin_sync() {
  CONGA_CHECK(!under_way_, "one commit after the other");
  const bool worth = end_ - written_ >= options_.hand_over_size;
  if (options_.committer == nullptr || !worth) {
    if (auto synced = sync(); !synced) return synced.failure();
    return true;
  }
  if (auto alive = check_alive(); !alive) return alive.failure();
  std::vector<File*> left;
  for (const auto& file : unsynced_) left.push_back(file.get());
  under_way_ = UnderWay{.end = end(), .files = left.size()};
  options_.committer->begin([file = active_.file.get(),
                             bytes = tail_.fresh(written_),
                             from = LogPosition{active_.number, written_},
                             to = end_,
                             zeros = zeros_behind(),
                             left = std::move(left)]() -> Result<> {
    finish_records(bytes, from, to);
    auto put = file->write_end(from.offset, {bytes, to - from.offset}, zeros);
    if (!put) return put;
    for (File* const each : left) {
      if (auto synced = each->sync(); !synced) return synced;
    }
    return file->sync();
  });
  tail_.turn_over();
  written_ = end_;
  segments_.back().end = end_;
  note_commit();
  return poll_sync();
}

Result<bool> RecordLog::poll_sync() {
  if (auto alive = check_alive(); !alive) return alive.failure();
  if (!under_way_) return true;
  const auto committed = options_.committer->take();
  if (!committed) return false;
  if (auto ended = end_commit(*committed); !ended) return ended.failure();
  return true;
}

Result<> RecordLog::wait_for_commit() {
  if (!under_way_) return check_alive();
  return end_commit(options_.committer->wait());
}

Result<> RecordLog::end_commit(const Result<>& committed) {
  const UnderWay ended = *std::exchange(under_way_, std::nullopt);
  if (auto well = die(committed); !well) return well;
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(ended.files));
  ++syncs_;
  durable_end_ = ended.end;
  return {};
}

Result<> RecordLog::check_alive() const {
  if (!dead_) return {};
  return fail(dead_->fault, dead_->what, dead_->code);
}

/// Remembers a failure after which nobody knows what the disk holds.
Result<> RecordLog::die(const Result<>& outcome) {
  if (outcome) return {};
  const Error& error = outcome.error();
  dead_ = Error{Fault::Permanent,
                error.what + "; what was appended may be lost, so this process must stop",
                "JournalFailed"};
  return check_alive();
}

Result<RecordLog::Read> RecordLog::read(LogPosition position) {
  if (position.segment != active_.number) return read_from_file(position);
  const std::string_view bytes = tail_.from(position.offset);
  if (bytes.empty() && position.offset < end_) return read_from_file(position);
  if (position.offset % 8 == 0 && bytes.size() >= kFrameSize) {
    const RecordFrame frame = load_frame(bytes.data());
    if (frame.size() <= bytes.size()) {
      return Read{frame.type, std::string(bytes.substr(kFrameSize, frame.length))};
    }
  }
  return fail(Fault::Corrupt,
              path_of(segment_name(position.segment)) + ": no record at offset "
                  + std::to_string(position.offset));
}

Result<RecordLog::Read> RecordLog::read_from_file(LogPosition position) {
  constexpr std::size_t kGuess = 1024;  // Most records fit one read.
  // What the committer writes to is its own. That it failed is told by the next append or sync.
  if (position.segment == active_.number) static_cast<void>(wait_for_commit());
  const auto file = file_of(position.segment);
  if (!file) return file.failure();
  std::string bytes(kGuess, '\0');
  auto got = (*file)->read(position.offset, bytes);
  if (!got) return got.failure();
  const RecordFrame frame = load_frame(bytes.data());
  if (frame.size() > kGuess && frame.length <= kMaxSegment) {
    bytes.resize(frame.size());
    got = (*file)->read(position.offset, bytes);
    if (!got) return got.failure();
  }
  if (frame.type == 0 || *got < frame.size()
      || !record_crc_fits(bytes.data(), frame.size(), position)) {
    return fail(Fault::Corrupt,
                path_of(segment_name(position.segment)) + ": the record at offset "
                    + std::to_string(position.offset) + " is damaged",
                "DamagedJournal");
  }
  bytes.resize(kFrameSize + frame.length);
  bytes.erase(0, kFrameSize);
  return Read{frame.type, std::move(bytes)};
}

Result<File*> RecordLog::file_of(std::uint32_t number) {
  if (number == active_.number) return active_.file.get();
  const auto known = std::ranges::find(readers_, number, &OpenFile::number);
  if (known != readers_.end()) return known->file.get();
  auto file = files_.open(path_of(segment_name(number)), OpenMode::Read);
  if (!file) return file.failure();
  if (readers_.size() >= kOpenReaders) readers_.erase(readers_.begin());
  readers_.push_back({number, std::move(*file), 0});
  return readers_.back().file.get();
}

Result<LogReader> RecordLog::reader(LogPosition position) {
  const auto segment = std::ranges::find(segments_, position.segment, &LogSegment::number);
  if (segment == segments_.end()) {
    return fail(
        Fault::Permanent, path_of(segment_name(position.segment)) + ": not in the log", "NotFound");
  }
  const bool ahead = options_.read_ahead && position.segment != active_.number;
  Files& files = ahead ? ahead_ : files_;
  auto file = files.open(path_of(segment_name(position.segment)), OpenMode::Read);
  if (!file) return file.failure();
  return LogReader(std::move(*file), position.segment, position.offset, segment->commit);
}

Result<> RecordLog::drop_oldest() {
  if (auto alive = check_alive(); !alive) return alive.failure();
  CONGA_CHECK(segments_.size() > 1, "the newest segment cannot be dropped");
  const std::uint32_t number = segments_.front().number;
  const std::string path = path_of(segment_name(number));
  std::erase_if(readers_, [number](const OpenFile& open) { return open.number == number; });
  const bool keep =
      spares_.size() < options_.spare_segments && segments_.front().size == options_.segment_size;
  if (!keep) {
    if (auto removed = files_.remove(path); !removed) return removed.failure();
    // Before the next one goes: a power cut that kept this one and lost that one would leave a gap.
    if (auto synced = files_.sync_directory(options_.directory); !synced) return synced.failure();
    segments_.pop_front();
    return {};
  }
  if (auto made = make_spare(); !made) return made.failure();
  Spare& spare = spares_.back();
  if (auto named = files_.rename(path, path_of(spare.name)); !named) return named.failure();
  // Its next use must never be found under the old name.
  if (auto synced = files_.sync_directory(options_.directory); !synced) return synced.failure();
  segments_.pop_front();
  auto file = files_.open(path_of(spare.name), OpenMode::ReadWrite);
  if (!file) return file.failure();
  const auto size = (*file)->size();
  if (!size) return size.failure();
  spare.file = std::move(*file);
  spare.allocated = *size;
  return {};
}

std::uint64_t RecordLog::bytes_on_disk() const {
  std::uint64_t sum = active_.allocated;
  for (const Spare& spare : spares_) sum += spare.allocated;
  for (const LogSegment& segment : segments_) {
    if (segment.number != active_.number) sum += segment.size;
  }
  return sum;
}

std::size_t RecordLog::max_payload() const {
  return options_.segment_size - kDataStart - kSealSize - kFrameSize - 8;
}

}  // namespace conga
