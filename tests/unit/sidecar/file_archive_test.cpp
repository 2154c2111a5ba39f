// SPDX-License-Identifier: Apache-2.0
//
// An archive on disk: what it has after any crash, and what retention leaves.

#include "bus/sidecar/file_archive.h"

#include "bus/sidecar/journal_format.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using conga::LogRecord;
using conga::Random;
using conga::Result;
using conga::WallTime;
using conga::bus::ArchiveRetention;
using conga::bus::FileArchive;
using conga::bus::Sequence;
using conga::testing::MemFiles;

const WallTime kStart{std::chrono::hours(24 * 365 * 50)};
constexpr std::uint32_t kSegment = 16384;

std::unique_ptr<FileArchive> open(MemFiles& disk) {
  auto archive = FileArchive::open(disk, "/a", kSegment);
  REQUIRE_MESSAGE(archive, (archive ? "" : archive.error().what));
  return std::move(*archive);
}

std::string body_of(Sequence sequence) {
  return "event " + std::to_string(sequence) + std::string(1000, '.');
}

class Reader final : public conga::LogVisitor {
public:
  void on_notes(const conga::SegmentNotes& /*newest*/) override {}

  Result<> on_record(const LogRecord& record) override {
    if (record.frame.type != conga::bus::kEventRecord) return {};
    const auto event = conga::bus::read_event_record(record.payload);
    REQUIRE(event);
    CHECK(event->event == body_of(event->sequence));
    sequences.push_back(event->sequence);
    return {};
  }

  std::vector<Sequence> sequences;
};

std::vector<Sequence> all(MemFiles& disk) {
  Reader reader;
  REQUIRE(scan_log(disk, "/a", conga::ScanFrom::Oldest, reader));
  return reader.sequences;
}

void add(FileArchive& archive, Sequence sequence, WallTime when = kStart) {
  REQUIRE(archive.append(sequence, when, body_of(sequence)));
}

}  // namespace

TEST_CASE("an archive knows what it has, over segments and restarts") {
  MemFiles disk;
  auto archive = open(disk);
  CHECK_FALSE(archive->has(1));
  for (Sequence sequence = 1; sequence <= 100; ++sequence) {
    add(*archive, 3 * sequence);
    if (sequence % 7 == 0) REQUIRE(archive->sync());
  }
  REQUIRE(archive->sync());
  CHECK(archive->has(300));
  archive.reset();
  archive = open(disk);
  CHECK(archive->has(300));
  CHECK_FALSE(archive->has(301));
  CHECK(all(disk).size() == 100);
}

TEST_CASE("segments go when all that they hold is too old") {
  MemFiles disk;
  auto archive = open(disk);
  const ArchiveRetention retention{.age = 10h};
  Sequence sequence = 0;
  // Much less than a segment in an hour.
  for (int hour = 0; hour < 100; ++hour) {
    const WallTime now = kStart + hour * 1h;
    add(*archive, ++sequence, now);
    REQUIRE(archive->sync());
    REQUIRE(archive->maintain(now, retention));
    REQUIRE(archive->maintain(now, retention));
  }
  const auto kept = all(disk);
  CHECK(kept.back() == sequence);
  // At least those of the last ten hours, and not many more.
  CHECK(kept.front() <= sequence - 10);
  CHECK(kept.front() >= sequence - 13);
  archive.reset();
  CHECK(open(disk)->has(sequence));
}

TEST_CASE("a crash between two segments does not make the first one look older than it is") {
  MemFiles disk;
  {
    auto archive = open(disk);
    for (Sequence sequence = 1; archive->bytes() <= kSegment; ++sequence) {
      add(*archive, sequence);
      REQUIRE(archive->sync());
    }
  }
  REQUIRE(disk.remove("/a/00000002.log"));
  disk.kill();
  const std::size_t before = all(disk).size();
  CHECK(before > 5);
  auto archive = open(disk);
  for (int turn = 0; turn < 5; ++turn) REQUIRE(archive->maintain(kStart + 1h, {.age = 24h}));
  CHECK(all(disk).size() == before);
}

TEST_CASE("without an age nothing goes, and no segment is ended early") {
  MemFiles disk;
  auto archive = open(disk);
  add(*archive, 1);
  REQUIRE(archive->sync());
  for (int day = 0; day < 1000; ++day) REQUIRE(archive->maintain(kStart + day * 24h, {}));
  add(*archive, 2, kStart + 24000h);
  REQUIRE(archive->sync());
  CHECK(all(disk) == std::vector<Sequence>{1, 2});
  CHECK(archive->bytes() <= 2 * kSegment);
}

TEST_CASE("the oldest segments go while there is more than the size") {
  MemFiles disk;
  auto archive = open(disk);
  const ArchiveRetention retention{.bytes = 10 * kSegment};
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
    add(*archive, sequence);
    REQUIRE(archive->sync());
    REQUIRE(archive->maintain(kStart, retention));
  }
  CHECK(archive->bytes() <= 10 * kSegment);
  CHECK(all(disk).back() == 1000);
  CHECK(all(disk).size() > 80);
}

TEST_CASE("an archive whose last segment is empty knows what it had") {
  MemFiles disk;
  auto archive = open(disk);
  for (Sequence sequence = 1; sequence <= 3; ++sequence) {
    add(*archive, sequence, kStart);
    REQUIRE(archive->sync());
  }
  const ArchiveRetention retention{.age = 1h};
  // Ends the segment, then drops it.
  for (int turn = 0; turn < 5; ++turn) REQUIRE(archive->maintain(kStart + 2h, retention));
  CHECK(all(disk).empty());
  archive.reset();
  archive = open(disk);
  CHECK(archive->has(3));
  CHECK_FALSE(archive->has(4));
}

TEST_CASE("events of a long commit that a crash left are known, also those some segments back") {
  MemFiles disk;
  auto archive = open(disk);
  add(*archive, 1);
  REQUIRE(archive->sync());
  for (Sequence sequence = 2; sequence <= 60; ++sequence) add(*archive, sequence);
  archive.reset();
  disk.kill();  // what was handed to the kernel is there, synced or not
  archive = open(disk);
  for (Sequence sequence = 1; sequence <= 60; ++sequence) {
    if (!archive->has(sequence)) add(*archive, sequence);
  }
  REQUIRE(archive->sync());
  auto found = all(disk);
  std::ranges::sort(found);
  CHECK(std::ranges::adjacent_find(found) == found.end());
  CHECK(found.size() == 60);
}

TEST_CASE(
    "property: after any crash what was synced is there, and the rest can be told and added") {
  CHECK(rc::check([] {
    MemFiles disk;
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    auto archive = open(disk);
    Sequence next = 1;
    Sequence synced = 0;
    // Adds what it is to have and has not, as its owner does after a crash.
    const auto add_missing = [&] {
      for (Sequence sequence = synced + 1; sequence < next; ++sequence) {
        if (!archive->has(sequence)) add(*archive, sequence);
      }
      RC_ASSERT(archive->sync().has_value());
      synced = next - 1;
    };
    const auto steps = *rc::gen::inRange(1, 120);
    for (int step = 0; step < steps; ++step) {
      const auto choice = *rc::gen::inRange(0, 12);
      if (choice < 8) {
        add(*archive, next++, kStart + step * 1h);
      } else if (choice < 10) {
        RC_ASSERT(archive->sync().has_value());
        synced = next - 1;
      } else if (choice == 10) {
        RC_ASSERT(archive->maintain(kStart + step * 1h, {.age = 1000h}).has_value());
      } else {
        disk.crash(random);
        archive = open(disk);
        RC_ASSERT(synced == 0 || archive->has(synced));
        RC_ASSERT(!archive->has(next));
        add_missing();
      }
    }
    add_missing();
    auto found = all(disk);
    std::ranges::sort(found);
    std::vector<Sequence> expected;
    for (Sequence sequence = 1; sequence < next; ++sequence) expected.push_back(sequence);
    RC_ASSERT(found == expected);
  }));
}
