// SPDX-License-Identifier: Apache-2.0
//
// What a RecordLog keeps, whatever becomes of process, machine and disk.

#include "common/io/record_log.h"

#include "common/io/posix_files.h"
#include "tests/support/late_worker.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using conga::Fault;
using conga::kDataStart;
using conga::kFirstUserType;
using conga::LogDamage;
using conga::LogPosition;
using conga::LogRecord;
using conga::LogVisitor;
using conga::Random;
using conga::RecordLog;
using conga::RecordLogOptions;
using conga::Result;
using conga::segment_name;
using conga::SegmentNotes;
using conga::testing::MemFiles;

constexpr std::uint32_t kSegment = 16384;

class Collector final : public LogVisitor {
public:
  void on_notes(const SegmentNotes& newest) override { notes = newest; }

  Result<> on_record(const LogRecord& record) override {
    payloads.emplace_back(record.payload);
    positions.push_back(record.position);
    return {};
  }

  SegmentNotes notes;
  std::vector<std::string> payloads;
  std::vector<LogPosition> positions;
};

RecordLogOptions options() {
  RecordLogOptions options;
  options.directory = "/j";
  options.segment_size = kSegment;
  options.zero_step = 4096;
  options.read_window = 512;
  return options;
}

/// What a log holds when it is opened.
struct Opened {
  Result<std::unique_ptr<RecordLog>> log;
  Collector found;
};

Opened open(MemFiles& disk, const RecordLogOptions& with = options()) {
  Collector found;
  auto log = RecordLog::open(disk, with, found);
  return {std::move(log), std::move(found)};
}

LogPosition append(RecordLog& log, const std::string& payload, std::uint64_t hold_back = 0) {
  const auto slot = log.append(kFirstUserType, payload.size(), hold_back);
  REQUIRE(slot);
  std::memcpy(slot->payload, payload.data(), payload.size());
  return slot->position;
}

std::string text(std::size_t index, std::size_t size = 24) {
  std::string payload = "record " + std::to_string(index) + " ";
  payload.resize(std::max(size, payload.size()), static_cast<char>('a' + index % 26));
  return payload;
}

/// `count` commits of `each` records; returns all payloads.
std::vector<std::string> fill(MemFiles& disk,
                              std::size_t count,
                              std::size_t each,
                              std::size_t size = 24) {
  auto opened = open(disk);
  REQUIRE(opened.log);
  std::vector<std::string> payloads = opened.found.payloads;
  for (std::size_t commit = 0; commit < count; ++commit) {
    for (std::size_t record = 0; record < each; ++record) {
      payloads.push_back(text(payloads.size(), size));
      append(**opened.log, payloads.back());
    }
    REQUIRE((*opened.log)->sync());
  }
  return payloads;
}

bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// Every payload of `part` is in `whole`, in the same order.
bool is_subsequence(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  std::size_t at = 0;
  for (const std::string& payload : whole) {
    if (at < part.size() && part[at] == payload) ++at;
  }
  return at == part.size();
}

std::string newest_segment(const MemFiles& disk) {
  std::string path;
  for (std::uint32_t number = 1; number < 1000; ++number) {
    const std::string next = "/j/" + segment_name(number);
    if (!disk.content(next).empty()) path = next;
  }
  return path;
}

}  // namespace

TEST_CASE("what was synced is there after a crash, and what was not is not") {
  MemFiles disk;
  auto payloads = fill(disk, 3, 2);
  {
    auto opened = open(disk);
    append(**opened.log, "never synced");
    REQUIRE((*opened.log)->flush());
  }
  disk.crash();
  auto opened = open(disk);
  REQUIRE(opened.log);
  CHECK(opened.found.payloads == payloads);
  CHECK((*opened.log)->damage().empty());
}

TEST_CASE("what was flushed survives the death of the process, and is durable once opened again") {
  MemFiles disk;
  auto payloads = fill(disk, 1, 1);
  {
    auto opened = open(disk);
    payloads.emplace_back("flushed");
    append(**opened.log, payloads.back());
    REQUIRE((*opened.log)->flush());
  }
  disk.kill();
  CHECK(open(disk).found.payloads == payloads);
  disk.crash();
  CHECK(open(disk).found.payloads == payloads);
}

TEST_CASE("an empty sync does nothing") {
  MemFiles disk;
  auto opened = open(disk);
  const std::size_t before = disk.syncs();
  REQUIRE((*opened.log)->sync());
  CHECK(disk.syncs() == before);
  append(**opened.log, "one");
  append(**opened.log, "two");
  const std::size_t writes = disk.writes();
  REQUIRE((*opened.log)->sync());
  CHECK(disk.syncs() == before + 1);
  CHECK(disk.writes() == writes + 1);
}

TEST_CASE("records of many segments come back in order, and can be read by position") {
  MemFiles disk;
  const auto payloads = fill(disk, 60, 7, 150);
  auto opened = open(disk);
  REQUIRE(opened.log);
  CHECK(opened.found.payloads == payloads);
  CHECK((*opened.log)->segments().size() > 3);
  CHECK(std::ranges::is_sorted(opened.found.positions));
  for (std::size_t index = 0; index < payloads.size(); ++index) {
    const auto read = (*opened.log)->read(opened.found.positions[index]);
    REQUIRE(read);
    CHECK(read->payload == payloads[index]);
  }
}

TEST_CASE("a record can be read back before and after it is written") {
  MemFiles disk;
  auto opened = open(disk);
  std::vector<std::pair<LogPosition, std::string>> written;
  for (std::size_t index = 0; index < 300; ++index) {
    written.emplace_back(append(**opened.log, text(index, 90)), text(index, 90));
    CHECK((*opened.log)->read(written.back().first)->payload == text(index, 90));
    if (index % 10 == 9) REQUIRE((*opened.log)->sync());
  }
  for (const auto& entry : written) {
    const auto read = (*opened.log)->read(entry.first);
    REQUIRE(read);
    CHECK(read->payload == entry.second);
  }
  CHECK(!(*opened.log)->read({1, kDataStart + 8}));
  CHECK((*opened.log)->read({77, kDataStart}).error().code == "NotFound");
}

TEST_CASE(
    "an unfinished commit torn at any length leaves what was durable, and appending goes on") {
  for (std::size_t torn = 0; torn < 200; ++torn) {
    CAPTURE(torn);
    MemFiles disk;
    auto payloads = fill(disk, 2, 2);
    const std::size_t durable = payloads.size();
    {
      auto opened = open(disk);
      for (std::size_t record = 0; record < 4; ++record) {
        payloads.push_back(text(payloads.size(), 25));
        append(**opened.log, payloads.back());
      }
      REQUIRE((*opened.log)->flush());
    }
    disk.crash(torn);
    auto opened = open(disk);
    REQUIRE(opened.log);
    CHECK(opened.found.payloads.size() >= durable);
    CHECK(is_prefix(opened.found.payloads, payloads));
    std::vector<std::string> after = opened.found.payloads;
    after.emplace_back("after the crash");
    append(**opened.log, after.back());
    REQUIRE((*opened.log)->sync());
    opened.log->reset();
    auto again = open(disk);
    REQUIRE(again.log);
    CHECK(again.found.payloads == after);
    CHECK((*again.log)->damage().empty());
  }
}

TEST_CASE("a log cut at any byte opens with a prefix of its records") {
  MemFiles whole;
  const auto payloads = fill(whole, 4, 2);
  const std::string path = newest_segment(whole);
  const std::string bytes = whole.content(path);
  const std::size_t end = bytes.find_last_not_of('\0') + 1;
  std::size_t last = 0;
  for (std::size_t cut = kDataStart; cut <= end; ++cut) {
    CAPTURE(cut);
    MemFiles disk;
    disk.set_content(path, bytes.substr(0, cut));
    auto opened = open(disk);
    REQUIRE(opened.log);
    CHECK(is_prefix(opened.found.payloads, payloads));
    CHECK(opened.found.payloads.size() >= last);
    last = opened.found.payloads.size();
  }
  CHECK(last == payloads.size());
}

TEST_CASE("any flipped bit is reported, invents nothing and costs one record at most") {
  MemFiles whole;
  const auto payloads = fill(whole, 3, 2, 20);
  const std::string path = newest_segment(whole);
  const std::string bytes = whole.content(path);
  const std::size_t end = bytes.find_last_not_of('\0') + 1;
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < end * 8; ++bit) {
    const std::size_t byte = bit / 8;
    const bool header =
        byte < conga::kHeaderSize
        || (byte >= conga::kHeaderCopy && byte < conga::kHeaderCopy + conga::kHeaderSize);
    if (byte < kDataStart && !header) continue;
    CAPTURE(bit);
    MemFiles disk;
    disk.set_content(path, bytes);
    disk.flip(path, byte, bit % 8);
    auto careful = open(disk);
    if (!careful.log) {
      ++refused;
      CHECK(careful.log.error().fault == Fault::Corrupt);
      CHECK(careful.log.error().what.find(segment_name(1) + ": damaged at offset ")
            != std::string::npos);
    } else {
      CHECK((*careful.log)->damage().size() == 1);
    }
    careful.log = nullptr;
    RecordLogOptions accept = options();
    accept.accept_damage = true;
    auto opened = open(disk, accept);
    REQUIRE(opened.log);
    CHECK(opened.found.payloads.size() + 1 >= payloads.size());
    CHECK(is_subsequence(opened.found.payloads, payloads));
    opened.log->reset();
    auto again = open(disk);
    REQUIRE_MESSAGE(again.log, again.log.error().what);
    CHECK((*again.log)->damage().empty());
    CHECK(again.found.payloads == opened.found.payloads);
  }
  CHECK(refused > 500);
}

TEST_CASE("damage in the middle is told from a torn tail, and nothing else is lost") {
  MemFiles disk;
  const auto payloads = fill(disk, 60, 5, 150);
  auto before = open(disk);
  REQUIRE((*before.log)->segments().size() > 2);
  const LogPosition victim = before.found.positions[20];
  before.log->reset();
  disk.flip("/j/" + segment_name(victim.segment), victim.offset + 30, 3);
  auto refused = open(disk);
  REQUIRE(!refused.log);
  CHECK(refused.log.error().fault == Fault::Corrupt);
  CHECK(refused.log.error().code == "DamagedJournal");
  CHECK(refused.log.error().what.find("offset " + std::to_string(victim.offset))
        != std::string::npos);
  RecordLogOptions accept = options();
  accept.accept_damage = true;
  auto opened = open(disk, accept);
  REQUIRE(opened.log);
  std::vector<std::string> rest = payloads;
  rest.erase(rest.begin() + 20);
  CHECK(opened.found.payloads == rest);
  REQUIRE((*opened.log)->damage().size() == 1);
  CHECK((*opened.log)->damage()[0].position == victim);
  CHECK((*opened.log)->damage()[0].kind == LogDamage::Kind::Corrupt);
}

TEST_CASE("a missing segment is damage") {
  MemFiles disk;
  fill(disk, 60, 5, 150);
  REQUIRE(disk.remove("/j/" + segment_name(2)));
  auto refused = open(disk);
  REQUIRE(!refused.log);
  CHECK(refused.log.error().what.find(segment_name(2) + ": missing") != std::string::npos);
}

TEST_CASE("a log of another version is refused with the remedy") {
  MemFiles disk;
  fill(disk, 1, 1);
  const std::string path = newest_segment(disk);
  std::string bytes = disk.content(path);
  bytes[8] = 7;
  bytes[conga::kHeaderCopy + 8] = 7;
  disk.set_content(path, bytes);
  auto refused = open(disk);
  REQUIRE(!refused.log);
  CHECK(refused.log.error().code == "OtherVersion");
  CHECK(refused.log.error().what
        == "/j/00000001.log: a journal of version 7, and this program reads version 1: use the "
           "program that wrote it, or move the directory away");
}

TEST_CASE("a record cut in its padding does not come back when the file grows again") {
  MemFiles disk;
  fill(disk, 1, 1);
  const std::string path = newest_segment(disk);
  LogPosition torn;
  LogPosition cut;
  {
    auto opened = open(disk);
    torn = append(**opened.log, text(1, 100));
    cut = append(**opened.log, "b");
    REQUIRE((*opened.log)->sync());
  }
  std::string bytes = disk.content(path);
  std::fill_n(bytes.begin() + torn.offset, cut.offset - torn.offset, '\0');
  bytes.resize(cut.offset + conga::kFrameSize + 1);
  disk.set_content(path, bytes);
  {
    auto opened = open(disk);
    REQUIRE(opened.found.payloads.size() == 1);
    append(**opened.log, "c");
    REQUIRE((*opened.log)->sync());
    while (*(*opened.log)->prepare()) {
    }
  }
  const auto opened = open(disk);
  REQUIRE(opened.log);
  CHECK(opened.found.payloads == std::vector<std::string>{text(0), "c"});
}

TEST_CASE("records of a segment's last lap never come back") {
  MemFiles disk;
  auto opened = open(disk);
  RecordLog& log = **opened.log;
  std::vector<std::pair<LogPosition, std::string>> live;
  for (std::size_t index = 0; index < 3000; ++index) {
    live.emplace_back(append(log, text(index, 100)), text(index, 100));
    if (index % 13 == 0) REQUIRE(log.sync());
    while (log.segments().size() > 2) {
      const std::uint32_t gone = log.segments().front().number;
      std::erase_if(live, [gone](const auto& entry) { return entry.first.segment == gone; });
      REQUIRE(log.drop_oldest());
    }
    if (index % 97 != 0) continue;
    REQUIRE(log.sync());
    disk.kill();
    auto again = open(disk);
    REQUIRE(again.log);
    REQUIRE(again.found.payloads.size() == live.size());
    REQUIRE(again.found.payloads.front() == live.front().second);
    REQUIRE(again.found.payloads.back() == live.back().second);
    opened = std::move(again);
    break;
  }
}

TEST_CASE("recycled segments are used again and stay clean over many restarts") {
  MemFiles disk;
  std::vector<std::string> live;
  std::size_t index = 0;
  for (std::size_t restart = 0; restart < 40; ++restart) {
    CAPTURE(restart);
    auto opened = open(disk);
    REQUIRE(opened.log);
    RecordLog& log = **opened.log;
    CHECK(log.damage().empty());
    REQUIRE(is_subsequence(live, opened.found.payloads));
    REQUIRE(live.size() == opened.found.payloads.size());
    std::vector<std::pair<std::uint32_t, std::string>> placed;
    for (std::size_t at = 0; at < live.size(); ++at) {
      placed.emplace_back(opened.found.positions[at].segment, live[at]);
    }
    for (std::size_t record = 0; record < 200; ++record) {
      ++index;
      const std::string payload = text(index, 64 + index % 90);
      placed.emplace_back(append(log, payload).segment, payload);
      if (record % 11 == 0) REQUIRE(log.sync());
      while (log.segments().size() > 2) {
        const std::uint32_t gone = log.segments().front().number;
        std::erase_if(placed, [gone](const auto& entry) { return entry.first == gone; });
        REQUIRE(log.drop_oldest());
      }
    }
    REQUIRE(log.sync());
    live.clear();
    for (const auto& entry : placed) live.push_back(entry.second);
    disk.crash();
  }
  CHECK(disk.used() <= 5 * kSegment);
}

TEST_CASE(
    "a full disk refuses ordinary records, takes those that room was held for, and recovers") {
  MemFiles disk;
  auto opened = open(disk);
  RecordLog& log = **opened.log;
  while (*log.prepare()) {
  }
  disk.set_capacity(disk.used());
  constexpr std::uint64_t kHeld = 4096;
  std::vector<std::string> payloads;
  while (true) {
    const auto slot = log.append(kFirstUserType, 200, kHeld);
    if (!slot) {
      CHECK(slot.error().code == "DiskFull");
      CHECK(slot.error().fault == Fault::Transient);
      break;
    }
    payloads.push_back(text(payloads.size(), 200));
    std::memcpy(slot->payload, payloads.back().data(), 200);
    REQUIRE(log.sync());
  }
  for (std::size_t used = 0; used + 56 <= kHeld - 100; used += 56) {
    payloads.push_back(text(payloads.size(), 40));
    append(log, payloads.back());
    REQUIRE(log.sync());
  }
  CHECK(!log.append(kFirstUserType, 200, kHeld));
  disk.set_capacity(std::nullopt);
  payloads.push_back(text(payloads.size(), 200));
  append(log, payloads.back(), kHeld);
  REQUIRE(log.sync());
  disk.crash();
  CHECK(open(disk).found.payloads == payloads);
}

TEST_CASE("a failed sync stops the log for good") {
  MemFiles disk;
  auto opened = open(disk);
  append(**opened.log, "lost");
  disk.fail_sync();
  const auto failed = (*opened.log)->sync();
  REQUIRE(!failed);
  CHECK(failed.error().code == "JournalFailed");
  CHECK(!(*opened.log)->sync());
  CHECK(!(*opened.log)->append(kFirstUserType, 1));
}

TEST_CASE("a commit that fails behind the log's back stops it for good") {
  MemFiles disk;
  conga::Random random(1);
  conga::testing::LateWorker committer(random);
  RecordLogOptions with = options();
  with.committer = &committer;
  with.hand_over_size = 1;
  auto opened = open(disk, with);
  append(**opened.log, "lost");
  disk.fail_sync();
  auto synced = (*opened.log)->begin_sync();
  while (synced && !*synced) synced = (*opened.log)->poll_sync();
  REQUIRE(!synced);
  CHECK(synced.error().code == "JournalFailed");
  CHECK(!(*opened.log)->sync());
  CHECK(!(*opened.log)->append(kFirstUserType, 1));
}

TEST_CASE("a failed write stops the log for good") {
  MemFiles disk;
  auto opened = open(disk);
  append(**opened.log, "torn");
  disk.fail_write();
  CHECK(!(*opened.log)->sync());
  CHECK(!(*opened.log)->sync());
  disk.crash();
  CHECK(open(disk).log);
}

TEST_CASE("a second log on the directory is refused") {
  MemFiles disk;
  auto first = open(disk);
  auto second = open(disk);
  REQUIRE(!second.log);
  CHECK(second.log.error().code == "Locked");
  CHECK(second.log.error().what.find("journal.directory") != std::string::npos);
}

TEST_CASE("a directory that cannot be used is refused with the remedy") {
  std::string made = std::filesystem::temp_directory_path() / "conga-record-log-XXXXXX";
  REQUIRE(::mkdtemp(made.data()) != nullptr);
  std::ofstream(made + "/file") << "in the way";
  RecordLogOptions with = options();
  with.directory = made + "/file/journal";
  conga::PosixFiles files;
  Collector found;
  const auto log = RecordLog::open(files, with, found);
  REQUIRE(!log);
  CHECK(log.error().what
        == with.directory
               + ": cannot make directory: Not a directory; the journal needs a directory that this "
                 "user may write to: change its owner, or journal.directory");
  std::filesystem::remove_all(made);
}

TEST_CASE("wrong options and records that are too large are refused") {
  MemFiles disk;
  RecordLogOptions odd = options();
  odd.segment_size = 5000;
  CHECK(!open(disk, odd).log);
  auto opened = open(disk);
  RecordLog& log = **opened.log;
  CHECK(log.append(kFirstUserType, log.max_payload() + 1).error().code == "RecordTooLarge");
  append(log, std::string(log.max_payload(), 'x'));
  append(log, std::string(log.max_payload(), 'y'));
  REQUIRE(log.sync());
  disk.crash();
  CHECK(open(disk).found.payloads.size() == 2);
}

TEST_CASE("notes of the newest segment are found again, and decide where the scan begins") {
  MemFiles disk;
  {
    auto opened = open(disk);
    RecordLog& log = **opened.log;
    for (std::size_t index = 0; log.segments().size() < 4; ++index) {
      log.set_notes({log.segments().back().number, index, 42});
      append(log, text(index, 300));
    }
    REQUIRE(log.sync());
  }
  auto opened = open(disk);
  REQUIRE(opened.log);
  CHECK(opened.found.notes.low_water == 3);
  CHECK(opened.found.notes.time == 42);
  CHECK(opened.found.positions.front().segment == 3);
}

TEST_CASE("a reader follows the log while it grows") {
  MemFiles disk;
  auto opened = open(disk);
  RecordLog& log = **opened.log;
  auto reader = log.reader({1, kDataStart});
  REQUIRE(reader);
  for (std::size_t index = 0; index < 20; ++index) {
    CHECK(!reader->next(log.durable_end().offset).value().has_value());
    append(log, text(index));
    CHECK(!reader->next(log.durable_end().offset).value().has_value());
    REQUIRE(log.sync());
    const auto record = reader->next(log.durable_end().offset);
    REQUIRE(record);
    REQUIRE(*record);
    CHECK((*record)->payload == text(index));
  }
}

TEST_CASE("whatever is written, synced, torn and reordered, durable records are never lost") {
  CHECK(rc::check([](std::uint64_t seed) {
    Random random(seed);
    MemFiles disk;
    std::vector<std::string> written;
    std::size_t durable = 0;
    std::size_t index = 0;
    const bool late = random.chance(0.5);
    for (int restart = 0; restart < 6; ++restart) {
      conga::testing::LateWorker committer(random);
      conga::testing::LateWorker filler(random);
      RecordLogOptions with = options();
      with.committer = late ? &committer : nullptr;
      with.filler = late ? &filler : nullptr;
      with.hand_over_size = 1;
      auto opened = open(disk, with);
      if (!opened.log) RC_FAIL(opened.log.error().what);
      // Everything durable, in order; of the rest any part, for a disk writes in no order.
      RC_ASSERT(is_subsequence(opened.found.payloads, written));
      const std::vector<std::string> kept(written.begin(),
                                          written.begin() + static_cast<std::ptrdiff_t>(durable));
      RC_ASSERT(is_prefix(kept, opened.found.payloads));
      written = opened.found.payloads;
      durable = written.size();
      RecordLog& log = **opened.log;
      std::optional<std::size_t> under_way;  // So many are durable when the commit has ended.
      const std::uint64_t steps = random.below(120);
      for (std::uint64_t step = 0; step < steps; ++step) {
        const std::uint64_t what = random.below(11);
        if (under_way) {
          const auto ended = log.poll_sync();
          if (!ended) RC_FAIL("poll_sync");
          if (*ended) durable = *std::exchange(under_way, std::nullopt);
        }
        if (what < 7) {
          written.push_back(text(++index, 20 + random.below(1200)));
          append(log, written.back());
        } else if (what == 7) {
          if (!log.prepare()) RC_FAIL("prepare");
        } else if (what == 8) {
          if (!log.flush()) RC_FAIL("flush");
        } else if (what == 9) {
          if (!log.sync()) RC_FAIL("sync");
          durable = written.size();
          under_way.reset();
        } else if (!under_way) {
          const auto synced = log.begin_sync();
          if (!synced) RC_FAIL("begin_sync");
          if (*synced) durable = written.size();
          if (!*synced) under_way = written.size();
        }
      }
      if (random.chance(0.2)) {
        disk.kill();
      } else if (random.chance(0.5)) {
        disk.crash(random.below(4000));
      } else {
        disk.crash(random);
      }
    }
  }));
}

TEST_CASE("segments that are dropped leave no gap, whichever removal a power cut undoes") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    MemFiles disk;
    RecordLogOptions no_spares = options();
    no_spares.spare_segments = 0;
    {
      auto opened = open(disk, no_spares);
      REQUIRE(opened.log);
      RecordLog& log = **opened.log;
      for (std::size_t index = 0; log.segments().size() < 6; ++index) append(log, text(index, 900));
      REQUIRE(log.sync());
      while (log.segments().size() > 2) REQUIRE(log.drop_oldest());
      Random random(seed);
      disk.crash(random);
    }
    REQUIRE(open(disk, no_spares).log);
  }
}
