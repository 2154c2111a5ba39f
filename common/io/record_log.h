// SPDX-License-Identifier: Apache-2.0
//
// RecordLog: an append-only log of records in segment files, the one class by which the bus makes
// anything durable: append, sync once per turn, then send.
//
// Segments are allocated and filled with zeros ahead of their use, because overwriting is what
// fdatasync is fastest at, and are used again once dropped. docs/journal-format.md has the bytes.
//
// With DiskWorkers, what takes the disk long does not hold up the loop: large commits, and the
// filling of segments to come. Each is given what it works on for the time, and nothing is shared.

#pragma once

#include "common/io/disk_worker.h"
#include "common/io/log_scan.h"
#include "common/io/log_tail.h"
#include "common/io/read_ahead.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

struct RecordLogOptions {
  std::string directory;
  std::uint32_t segment_size = std::uint32_t{64} << 20U;  ///< 16 KiB to 2 GiB, of whole 4 KiB.
  std::uint32_t zero_step = std::uint32_t{1} << 20U;      ///< How much prepare() fills at a time.
  /// So many of the newest bytes at least are kept to be read back, unless commits are smaller.
  std::uint64_t read_window = std::uint64_t{256} << 10U;
  std::size_t spare_segments = 2;  ///< Dropped ones kept for use again.
  bool accept_damage = false;      ///< Open a damaged log: what is lost is skipped from now on.
  /// What is not written any more is read ahead by a thread (ReadAhead), which `files` must allow.
  bool read_ahead = false;

  /// Does the commits that begin_sync() begins; null: they are done at once. Must outlive the log.
  DiskWorker* committer = nullptr;

  /// Below so many bytes a commit is done at once: to hand it over would take longer.
  std::size_t hand_over_size = std::size_t{32} << 10U;

  /// Fills segments with zeros ahead; null: it is done bit by bit as others are written. Must
  /// outlive the log.
  DiskWorker* filler = nullptr;
};

struct LogSegment {
  std::uint32_t number = 0;
  std::uint32_t end = kDataStart;  ///< An upper bound for one that open() did not scan.
  std::uint32_t size = 0;          ///< Allocated, once the segment is left.
  std::uint64_t commit = 0;        ///< In which it began.
  SegmentNotes notes;
};

/// One thread. `files` must outlive the log. After an error of flush() or sync() every further
/// call fails: the process must stop and open the log anew.
class RecordLog {
public:
  /// A record in the making: fill in all of `payload` before the next call of the log.
  struct Slot {
    LogPosition position;
    char* payload = nullptr;
  };

  struct Read {
    std::uint8_t type = 0;
    std::string payload;
  };

  /// Locks the directory, hands every valid record from the low-water mark to `visitor`, mends
  /// what a crash left torn and continues behind the last record. Corrupt with code
  /// `DamagedJournal`, segment and offset if durable bytes were lost, unless told to accept that.
  static Result<std::unique_ptr<RecordLog>> open(Files& files,
                                                 RecordLogOptions options,
                                                 LogVisitor& visitor);

  RecordLog(const RecordLog&) = delete;
  RecordLog& operator=(const RecordLog&) = delete;

  /// Waits for what its workers have under way.
  ~RecordLog();

  /// Room for a payload of `size` bytes behind the last record, leaving at least `hold_back`
  /// allocated bytes for later records. Transient with code `DiskFull`: nothing was appended.
  Result<Slot> append(std::uint8_t type, std::size_t size, std::uint64_t hold_back = 0);

  /// Ends the newest segment, durably, although it has room; nothing if it holds no record yet.
  /// Transient with code `DiskFull`.
  Result<> begin_next();

  /// What the next segment's header will say.
  void set_notes(const SegmentNotes& notes) { notes_ = notes; }

  /// Hands what was appended to the kernel: it survives the process, not the machine.
  Result<> flush();

  /// Makes everything appended so far durable: one write and one fdatasync, none if there is
  /// nothing to do.
  Result<> sync();

  /// As sync(), but may leave it to the committer. True: it is done. Otherwise poll_sync() says
  /// when it is; what is appended meanwhile belongs to the next one.
  Result<bool> begin_sync();

  /// True once what begin_sync() began is durable. An error as of sync().
  Result<bool> poll_sync();

  /// Whether sync() has something to do.
  bool dirty() const { return dirty_; }

  /// The record at `position`. Corrupt if it is not what was written there; Permanent with code
  /// `NotFound` if the segment has been dropped.
  Result<Read> read(LogPosition position);

  /// A reader of the records of `position`'s segment from there on; up to durable_end() they are
  /// durable.
  Result<LogReader> reader(LogPosition position);

  LogPosition durable_end() const { return durable_end_; }

  LogPosition end() const { return {active_.number, end_}; }

  /// One bounded step of filling space with zeros for the records to come; true if there is more
  /// to do. A full disk is no error here.
  Result<bool> prepare();

  /// Gives up the oldest segment, which must not be the newest.
  Result<> drop_oldest();

  /// In order, the newest last; its end is what was written, not what is durable.
  const std::deque<LogSegment>& segments() const { return segments_; }

  /// Allocated on disk, spare segments included.
  std::uint64_t bytes_on_disk() const;

  /// What open() found, all of it dealt with.
  const std::vector<LogDamage>& damage() const { return damage_; }

  std::uint64_t syncs() const { return syncs_; }

  /// The largest payload that fits a segment.
  std::size_t max_payload() const;

private:
  struct OpenFile {
    std::uint32_t number = 0;
    std::unique_ptr<File> file;
    std::uint64_t allocated = 0;
  };

  struct Spare {
    std::string name;
    std::unique_ptr<File> file;
    std::uint64_t allocated = 0;
    bool synced = false;
    bool filling = false;  ///< By the filler, whose it is.
  };

  /// A commit that the committer has.
  struct UnderWay {
    LogPosition end;        ///< Behind its last record.
    std::size_t files = 0;  ///< The first ones of `unsynced_` that it syncs too.
  };

  RecordLog(Files& files, RecordLogOptions options)
      : files_(files), ahead_(files), options_(std::move(options)) {}

  Result<> start(LogScan scan);
  Result<> find_spares(bool log_is_empty);
  Result<> resume(const LogScan& scan);
  Result<> refuse_damage(const LogDamage& damage) const;
  Result<> begin_segment(std::uint32_t number);
  Result<> roll();
  Result<> make_spare();
  Result<> grow();
  bool fill_ahead();
  std::uint64_t next_step(std::uint64_t allocated) const;
  Result<> fill(File& file, std::uint64_t& allocated);
  Spare* filled_spare();
  void begin_filling();
  Result<bool> poll_filling();
  Result<> finish_filling();
  Result<> end_filling(const Result<>& filled);
  Result<> end_commit(const Result<>& committed);
  Result<> wait_for_commit();
  std::size_t zeros_behind() const;
  void note_commit();
  Result<> ensure_room(std::uint64_t size, std::uint64_t hold_back);
  bool has_room(std::uint64_t size, std::uint64_t hold_back) const;
  bool spare_takes(std::uint64_t size) const;
  char* extend(std::uint8_t type, std::size_t size);
  static void finish_records(char* bytes, LogPosition from, std::uint32_t to);
  Result<> check_alive() const;
  Result<> die(const Result<>& outcome);
  Result<File*> file_of(std::uint32_t number);
  Result<Read> read_from_file(LogPosition position);

  std::string path_of(const std::string& name) const { return options_.directory + "/" + name; }

  Files& files_;
  ReadAhead ahead_;
  const RecordLogOptions options_;
  std::unique_ptr<FileLock> lock_;
  std::deque<LogSegment> segments_;
  std::vector<LogDamage> damage_;
  SegmentNotes notes_;

  OpenFile active_;
  std::vector<std::unique_ptr<File>> unsynced_;  ///< Segments that were left since the last sync.
  std::vector<Spare> spares_;
  std::vector<OpenFile> readers_;

  /// The newest bytes of the active segment, up to `end_`. Those from `written_` on have come since
  /// turn_over(); the others are with the kernel, or with the committer.
  LogTail tail_;
  std::uint32_t written_ = kDataStart;
  std::uint32_t end_ = kDataStart;

  std::optional<UnderWay> under_way_;
  LogPosition durable_end_;
  std::uint64_t commit_ = 1;  ///< Of the records being appended.
  bool first_of_commit_ = true;
  bool dirty_ = false;
  std::uint64_t syncs_ = 0;
  std::uint64_t unpaid_ = 0;  ///< Appended since space was last filled ahead.
  std::optional<Error> dead_;
};

}  // namespace conga
