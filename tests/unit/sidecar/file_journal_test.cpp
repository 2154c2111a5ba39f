// SPDX-License-Identifier: Apache-2.0
//
// What the journal owes after any crash: every accepted event, each open delivery, nothing else.

#include "bus/sidecar/file_journal.h"

#include "bus/sidecar/journal_format.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using conga::Fault;
using conga::Random;
using conga::Result;
using conga::WallTime;
using conga::bus::Ending;
using conga::bus::EventRef;
using conga::bus::FileJournal;
using conga::bus::FileJournalOptions;
using conga::bus::JournalEntry;
using conga::bus::OwedTargets;
using conga::bus::PendingDelivery;
using conga::bus::RecoveryVisitor;
using conga::bus::RetryRecord;
using conga::bus::Sequence;
using conga::bus::SettledRecord;
using conga::bus::TargetName;
using conga::testing::MemFiles;

const WallTime kStart{std::chrono::hours(24 * 365 * 50)};
const std::vector<TargetName> kOne{{"charge", "payment"}};
const std::vector<TargetName> kTwo{{"charge", "payment"}, {"tell", "notification"}};

class Collector final : public RecoveryVisitor {
public:
  void on_recent_event(std::string_view event_bytes, WallTime /*ingested*/) override {
    recent.emplace_back(event_bytes);
  }

  void on_pending(const PendingDelivery& delivery) override { pending.push_back(delivery); }

  std::vector<std::string> recent;
  std::vector<PendingDelivery> pending;
};

FileJournalOptions options() {
  FileJournalOptions options;
  options.directory = "/j";
  options.segment_size = 16384;
  options.read_window = 1024;
  return options;
}

struct Opened {
  Result<std::unique_ptr<FileJournal>> journal;
  Collector found;

  FileJournal& operator*() { return **journal; }
};

Opened open(MemFiles& disk, const FileJournalOptions& with = options(), WallTime now = kStart) {
  Collector found;
  auto journal = FileJournal::open(disk, with, now, found);
  return {std::move(journal), std::move(found)};
}

std::string body(std::size_t index, std::size_t size = 100) {
  std::string text = "event " + std::to_string(index) + " ";
  text.resize(std::max(size, text.size()), 'x');
  return text;
}

SettledRecord settled(Sequence sequence, const TargetName& target) {
  SettledRecord record;
  record.sequence = sequence;
  record.target = target;
  record.attempts = 1;
  record.instance = "payment-1";
  record.first_attempt = record.last_attempt = kStart;
  record.at = kStart + 1s;
  return record;
}

RetryRecord retry(Sequence sequence, const TargetName& target, std::uint32_t attempt) {
  RetryRecord record;
  record.sequence = sequence;
  record.target = target;
  record.attempt = attempt;
  record.instance = "payment-1";
  record.sent = kStart + std::chrono::seconds(attempt);
  record.failed = record.sent + 1ms;
  record.due = record.sent + 10s;
  record.code = "CardNetworkDown";
  record.message = "attempt " + std::to_string(attempt);
  return record;
}

/// Every open delivery as (sequence, rule), in the order that recovery gives them.
std::vector<std::pair<Sequence, std::string>> names(const std::vector<PendingDelivery>& pending) {
  std::vector<std::pair<Sequence, std::string>> found;
  for (const PendingDelivery& each : pending) {
    found.emplace_back(each.event.sequence, each.target.rule);
  }
  return found;
}

using Names = std::vector<std::pair<Sequence, std::string>>;

}  // namespace

TEST_CASE("an accepted event is pending for each of its targets after a crash") {
  MemFiles disk;
  {
    auto opened = open(disk);
    REQUIRE(opened.journal);
    CHECK((*opened).append(kStart, kTwo, "first")->sequence == 1);
    CHECK((*opened).append(kStart + 1s, kOne, "second")->sequence == 2);
    CHECK((*opened).append(kStart + 2s, {}, "archived only")->sequence == 3);
    REQUIRE((*opened).sync());
    REQUIRE((*opened).append(kStart, kOne, "never synced"));
  }
  disk.crash();
  auto opened = open(disk);
  REQUIRE(opened.journal);
  CHECK(names(opened.found.pending) == Names{{1, "charge"}, {1, "tell"}, {2, "charge"}});
  CHECK(opened.found.recent == std::vector<std::string>{"first", "second", "archived only"});
  const PendingDelivery& second = opened.found.pending[2];
  CHECK(second.ingested == kStart + 1s);
  CHECK(second.due == kStart + 1s);
  CHECK(second.attempts == 0);
  const auto event = (*opened).read(second.event);
  REQUIRE(event);
  CHECK(event->bytes == "second");
  CHECK(event->targets == kOne);
  CHECK(event->ingested == kStart + 1s);
  CHECK((*opened).append(kStart, kOne, "next")->sequence == 4);
}

TEST_CASE("a settled delivery is not pending, and the other one of the event still is") {
  MemFiles disk;
  {
    auto opened = open(disk);
    REQUIRE((*opened).append(kStart, kTwo, "event"));
    REQUIRE((*opened).append(settled(1, kTwo[0])));
    REQUIRE((*opened).sync());
  }
  disk.crash();
  CHECK(names(open(disk).found.pending) == Names{{1, "tell"}});
}

TEST_CASE("a pending delivery knows its failed attempts") {
  MemFiles disk;
  {
    auto opened = open(disk);
    REQUIRE((*opened).append(kStart, kTwo, "event"));
    for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
      REQUIRE((*opened).append(retry(1, kTwo[1], attempt)));
    }
    REQUIRE((*opened).sync());
  }
  disk.crash();
  auto opened = open(disk);
  REQUIRE(opened.found.pending.size() == 2);
  CHECK(opened.found.pending[0].attempts == 0);
  const PendingDelivery& failed = opened.found.pending[1];
  CHECK(failed.attempts == 3);
  CHECK(failed.first_attempt == kStart + 1s);
  CHECK(failed.last_attempt == kStart + 3s);
  CHECK(failed.due == kStart + 13s);
  CHECK(failed.last_code == "CardNetworkDown");
  CHECK(failed.last_message == "attempt 3");
}

TEST_CASE("endings are written without a sync of their own, and synced after a while") {
  MemFiles disk;
  auto opened = open(disk);
  REQUIRE((*opened).append(kStart, kTwo, "event"));
  REQUIRE((*opened).sync());
  const std::size_t syncs = disk.syncs();
  const std::size_t writes = disk.writes();
  REQUIRE((*opened).append(settled(1, kTwo[0])));
  REQUIRE((*opened).sync());
  CHECK(disk.syncs() == syncs);
  CHECK(disk.writes() == writes + 1);
  std::string cursor;
  CHECK((*opened).follow(cursor, 10)->size() == 1);
  while ((*opened).stats().bytes < 2 * 16384) REQUIRE((*opened).maintain(kStart));
  REQUIRE((*opened).maintain(kStart));
  REQUIRE((*opened).maintain(kStart + 100ms));
  disk.crash();
  CHECK(names(open(disk).found.pending) == Names{{1, "tell"}});
}

TEST_CASE("one sync makes a whole turn durable") {
  MemFiles disk;
  auto opened = open(disk);
  const std::size_t syncs = disk.syncs();
  for (std::size_t index = 0; index < 20; ++index) {
    REQUIRE((*opened).append(kStart, kOne, body(index)));
  }
  REQUIRE((*opened).sync());
  CHECK(disk.syncs() == syncs + 1);
  REQUIRE((*opened).sync());
  CHECK(disk.syncs() == syncs + 1);
}

TEST_CASE("events of more targets than a word has bits are settled one by one") {
  MemFiles disk;
  std::vector<TargetName> many;
  for (int index = 0; index < 70; ++index) many.push_back({"rule " + std::to_string(index), "t"});
  {
    auto opened = open(disk);
    REQUIRE((*opened).append(kStart, kOne, "before"));
    REQUIRE((*opened).append(kStart, many, "many"));
    REQUIRE((*opened).append(kStart, kOne, "after"));
    for (std::size_t index = 0; index < 69; ++index) {
      REQUIRE((*opened).append(settled(2, many[index])));
    }
    REQUIRE((*opened).sync());
  }
  CHECK(names(open(disk).found.pending) == Names{{1, "charge"}, {2, "rule 69"}, {3, "charge"}});
}

TEST_CASE(
    "a list of targets that is kept owes as its names do, and its faults are told each time") {
  MemFiles disk;
  OwedTargets two{.names = kTwo};
  OwedTargets one{.names = kOne};
  {
    auto opened = open(disk);
    REQUIRE(opened.journal);
    CHECK((*opened).append_owed(kStart, two, "first")->sequence == 1);
    CHECK((*opened).append_owed(kStart, one, "second")->sequence == 2);
    CHECK((*opened).append(kStart, kTwo, "third")->sequence == 3);
    CHECK((*opened).append_owed(kStart, two, "fourth")->sequence == 4);
    CHECK(two.known_as != one.known_as);
    OwedTargets twice{.names = {kOne[0], kOne[0]}};
    for (int time = 0; time < 2; ++time) {
      CHECK((*opened).append_owed(kStart, twice, "x").error().code == "DuplicateTarget");
    }
    REQUIRE((*opened).sync());
  }
  auto opened = open(disk);
  REQUIRE(opened.journal);
  CHECK(names(opened.found.pending)
        == Names{{1, "charge"},
                 {1, "tell"},
                 {2, "charge"},
                 {3, "charge"},
                 {3, "tell"},
                 {4, "charge"},
                 {4, "tell"}});
}

TEST_CASE("the same target twice and a name without end are refused") {
  MemFiles disk;
  auto opened = open(disk);
  const std::vector<TargetName> twice{kOne[0], kOne[0]};
  CHECK((*opened).append(kStart, twice, "x").error().code == "DuplicateTarget");
  const std::vector<TargetName> endless{{std::string(2000, 'r'), "t"}};
  CHECK((*opened).append(kStart, endless, "x").error().code == "NameTooLong");
  CHECK((*opened).append(kStart, kOne, std::string(20000, 'x')).error().code == "RecordTooLarge");
  CHECK((*opened).append(kStart, kOne, "x")->sequence == 1);
}

TEST_CASE("old segments go when nothing in them is pending, and stragglers are carried") {
  MemFiles disk;
  FileJournalOptions small = options();
  small.retention_bytes = 5 * 16384;
  auto opened = open(disk, small);
  const std::vector<Sequence> stragglers{3, 7, 40};
  Sequence last = 0;
  for (std::size_t index = 1; index <= 2000; ++index) {
    last = (*opened).append(kStart, kTwo, body(index))->sequence;
    REQUIRE((*opened).append(settled(last, kTwo[0])));
    const bool straggler = std::ranges::find(stragglers, last) != stragglers.end();
    if (straggler) REQUIRE((*opened).append(retry(last, kTwo[1], 1)));
    if (!straggler) REQUIRE((*opened).append(settled(last, kTwo[1])));
    if (last == 1000) REQUIRE((*opened).append(retry(40, kTwo[1], 2)));
    if (index % 8 == 0) REQUIRE((*opened).sync());
    REQUIRE((*opened).maintain(kStart));
  }
  REQUIRE((*opened).sync());
  CHECK((*opened).stats().bytes <= 8 * 16384);
  for (const Sequence sequence : stragglers) {
    const auto event = (*opened).read({sequence, (std::uint64_t{1} << 32U) + 4096});
    REQUIRE(event);
    CHECK(event->bytes == body(sequence));
  }
  disk.crash();
  auto again = open(disk, small);
  REQUIRE(again.journal);
  CHECK(names(again.found.pending) == Names{{3, "tell"}, {7, "tell"}, {40, "tell"}});
  CHECK(again.found.pending[0].attempts == 1);
  CHECK(again.found.pending[1].last_message == "attempt 1");
  CHECK(again.found.pending[2].attempts == 2);
  CHECK(again.found.pending[2].first_attempt == kStart + 1s);
  CHECK((*again).read(again.found.pending[2].event)->bytes == body(40));
  REQUIRE((*again).append(settled(3, kTwo[1])));
  REQUIRE((*again).sync());
  again.journal->reset();
  CHECK(names(open(disk, small).found.pending) == Names{{7, "tell"}, {40, "tell"}});
}

TEST_CASE("what is pending in the oldest segment is told, and where the journal is needed from") {
  MemFiles disk;
  auto opened = open(disk);
  std::vector<Sequence> sequences;
  for (std::size_t index = 1; index <= 200; ++index) {
    sequences.push_back((*opened).append(kStart, kTwo, body(index))->sequence);
  }
  const auto stats = [&] { return (*opened).stats(); };
  CHECK(stats().oldest_segment == 1);
  CHECK(stats().low_water == 1);
  const std::uint64_t pins = stats().pins;
  CHECK(pins > 2);
  CHECK(pins < 400);
  REQUIRE((*opened).append(settled(1, kTwo[0])));
  CHECK(stats().pins == pins - 1);
  for (const Sequence sequence : sequences) {
    for (const TargetName& target : kTwo) {
      if (sequence < 150) REQUIRE((*opened).append(settled(sequence, target)));
    }
  }
  CHECK(stats().pins == 0);
  CHECK(stats().low_water > 1);
  CHECK(stats().low_water <= (*opened).stats().segments);
}

TEST_CASE("an event that is owed once more says so, over crashes and when it is carried") {
  MemFiles disk;
  FileJournalOptions small = options();
  small.retention_bytes = 5 * 16384;
  auto opened = open(disk, small);
  REQUIRE((*opened).append(kStart, kOne, "first"));
  REQUIRE((*opened).append_again(kStart, kOne, "again"));
  REQUIRE((*opened).sync());
  std::string cursor;
  const auto entries = (*opened).follow(cursor, 10);
  REQUIRE(entries->size() == 2);
  CHECK_FALSE((*entries)[0].event.again);
  CHECK((*entries)[1].event.again);
  CHECK((*entries)[1].event.sequence == 2);
  for (std::size_t index = 0; index < 2000; ++index) {
    REQUIRE((*opened).append(kStart, {}, body(index)));
    if (index % 8 == 0) REQUIRE((*opened).sync());
    REQUIRE((*opened).maintain(kStart));
  }
  CHECK((*opened).stats().oldest_segment > 1);
  disk.crash();
  const auto again = open(disk, small);
  REQUIRE(again.found.pending.size() == 2);
  CHECK_FALSE(again.found.pending[0].again);
  CHECK(again.found.pending[1].again);
}

TEST_CASE("a cursor at a time leaves out older segments, and what is kept for one stays") {
  MemFiles disk;
  FileJournalOptions aged = options();
  aged.retention_age = 1h;
  auto opened = open(disk, aged);
  for (std::size_t index = 1; index <= 600; ++index) {
    REQUIRE((*opened).append(kStart + std::chrono::seconds(index), {}, body(index)));
  }
  REQUIRE((*opened).sync());
  const auto first_from = [&](std::string cursor) {
    return (*opened).follow(cursor, 1)->front().event.sequence;
  };
  CHECK(first_from((*opened).cursor_at({})) == 1);
  const std::string middle = (*opened).cursor_at(kStart + 300s);
  CHECK(first_from(middle) > 1);
  CHECK(first_from(middle) <= 300);
  const std::uint64_t segments = (*opened).stats().segments;
  const std::vector<std::string> both{(*opened).cursor_at(kStart + 500s), middle};
  (*opened).keep_from(both);
  for (int turn = 0; turn < 100; ++turn) REQUIRE((*opened).maintain(kStart + 2h));
  CHECK((*opened).stats().segments < segments);
  CHECK((*opened).stats().segments > 1);
  CHECK(first_from(middle) <= 300);
  (*opened).keep_from({});
  for (int turn = 0; turn < 100; ++turn) REQUIRE((*opened).maintain(kStart + 2h));
  CHECK((*opened).stats().segments == 1);
}

TEST_CASE("a crash between two segments does not make the first one look older than it is") {
  MemFiles disk;
  {
    auto opened = open(disk);
    for (std::size_t index = 1; (*opened).stats().segments == 1; ++index) {
      REQUIRE((*opened).append(kStart, {}, body(index)));
      REQUIRE((*opened).sync());
    }
  }
  // Sealed, and the next one never got its name.
  REQUIRE(disk.remove("/j/00000002.log"));
  disk.kill();
  auto again = open(disk);
  REQUIRE(again.journal);
  CHECK((*again).stats().segments == 2);
  for (int turn = 0; turn < 10; ++turn) REQUIRE((*again).maintain(kStart + 1h));
  CHECK((*again).stats().oldest_segment == 1);
  for (int turn = 0; turn < 10; ++turn) REQUIRE((*again).maintain(kStart + 8 * 24h));
  CHECK((*again).stats().oldest_segment == 2);
}

TEST_CASE("segments past the retention age go, and a backlog stays") {
  MemFiles disk;
  FileJournalOptions aged = options();
  aged.retention_age = 1h;
  auto opened = open(disk, aged);
  for (std::size_t index = 1; index <= 600; ++index) {
    const WallTime at = kStart + std::chrono::seconds(index);
    const auto ref = (*opened).append(at, kOne, body(index));
    if (ref->sequence > 300) {
      SettledRecord record = settled(ref->sequence, kOne[0]);
      record.at = at;
      REQUIRE((*opened).append(record));
    }
  }
  REQUIRE((*opened).sync());
  const std::uint64_t segments = (*opened).stats().segments;
  for (int turn = 0; turn < 100; ++turn) REQUIRE((*opened).maintain(kStart + 2h));
  CHECK((*opened).stats().segments == segments);
  for (Sequence sequence = 1; sequence <= 300; ++sequence) {
    REQUIRE((*opened).append(settled(sequence, kOne[0])));
  }
  for (int turn = 0; turn < 100; ++turn) REQUIRE((*opened).maintain(kStart + 2h));
  CHECK((*opened).stats().segments == 1);
}

TEST_CASE("a full disk refuses events and records endings; both go on when space is freed") {
  MemFiles disk;
  auto opened = open(disk);
  for (int turn = 0; turn < 100; ++turn) REQUIRE((*opened).maintain(kStart));
  disk.set_capacity(disk.used());
  Sequence last = 0;
  while (true) {
    const auto ref = (*opened).append(kStart, kOne, body(last + 1));
    if (!ref) {
      CHECK(ref.error().code == "JournalFull");
      CHECK(ref.error().fault == Fault::Transient);
      break;
    }
    last = ref->sequence;
    REQUIRE((*opened).sync());
  }
  CHECK(last > 50);
  for (Sequence sequence = 1; sequence <= 20; ++sequence) {
    REQUIRE((*opened).append(settled(sequence, kOne[0])));
    REQUIRE((*opened).sync());
  }
  CHECK((*opened).stats().unrecorded == 0);
  for (int again = 0; again < 200; ++again) REQUIRE((*opened).append(retry(30, kOne[0], 1)));
  CHECK((*opened).stats().unrecorded > 0);
  REQUIRE((*opened).sync());
  CHECK(!(*opened).append(kStart, kOne, body(1)));
  disk.set_capacity(std::nullopt);
  CHECK((*opened).append(kStart, kOne, body(1))->sequence == last + 1);
  REQUIRE((*opened).sync());
  disk.crash();
  auto again = open(disk);
  REQUIRE(again.journal);
  CHECK(again.found.pending.size() == last + 1 - 20);
}

TEST_CASE("a failed sync is final") {
  MemFiles disk;
  auto opened = open(disk);
  REQUIRE((*opened).append(kStart, kOne, "event"));
  disk.fail_sync();
  CHECK(!(*opened).sync());
  CHECK(!(*opened).sync());
  CHECK(!(*opened).append(kStart, kOne, "event"));
  CHECK(!(*opened).append(settled(1, kOne[0])));
}

TEST_CASE("a follower reads what is durable, in order, once, over restarts and segments") {
  MemFiles disk;
  std::string cursor;
  std::vector<std::string> seen;
  std::size_t endings = 0;
  std::vector<std::string> expected;
  for (int restart = 0; restart < 3; ++restart) {
    auto opened = open(disk);
    for (std::size_t index = 0; index < 200; ++index) {
      expected.push_back(body(expected.size()));
      const auto ref = (*opened).append(kStart, kOne, expected.back());
      REQUIRE((*opened).append(settled(ref->sequence, kOne[0])));
      if (index % 7 == 0) REQUIRE((*opened).sync());
      const auto entries = (*opened).follow(cursor, 5);
      REQUIRE(entries);
      for (const JournalEntry& entry : *entries) {
        if (entry.kind == JournalEntry::Kind::Event) seen.push_back(entry.event.bytes);
        if (entry.kind == JournalEntry::Kind::Settled) ++endings;
      }
      CHECK(seen.size() <= expected.size());
    }
    REQUIRE((*opened).sync());
  }
  auto opened = open(disk);
  while (true) {
    const auto entries = (*opened).follow(cursor, 100);
    REQUIRE(entries);
    if (entries->empty()) break;
    for (const JournalEntry& entry : *entries) {
      if (entry.kind == JournalEntry::Kind::Event) seen.push_back(entry.event.bytes);
      if (entry.kind == JournalEntry::Kind::Settled) ++endings;
    }
  }
  CHECK(seen == expected);
  CHECK(endings == expected.size());
  std::string wrong = "elsewhere";
  CHECK((*opened).follow(wrong, 1).error().code == "BadCursor");
  std::string beyond = "999:4096";
  CHECK((*opened).follow(beyond, 1)->size() == 1);
}

TEST_CASE("a follower that fell behind retention goes on at the oldest event") {
  MemFiles disk;
  FileJournalOptions small = options();
  small.retention_bytes = 4 * 16384;
  auto opened = open(disk, small);
  std::string cursor;
  for (std::size_t index = 1; index <= 1000; ++index) {
    const auto ref = (*opened).append(kStart, kOne, body(index));
    REQUIRE((*opened).append(settled(ref->sequence, kOne[0])));
    REQUIRE((*opened).sync());
    if (index == 1) CHECK((*opened).follow(cursor, 10)->size() == 2);
    REQUIRE((*opened).maintain(kStart));
  }
  const auto entries = (*opened).follow(cursor, 1);
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().ref.sequence > 100);
}

TEST_CASE("only recent events are handed over for the memory of ids, but at least so many") {
  MemFiles disk;
  {
    auto opened = open(disk);
    for (std::size_t index = 1; index <= 500; ++index) {
      const auto ref = (*opened).append(kStart + std::chrono::seconds(index), kOne, body(index));
      REQUIRE((*opened).append(settled(ref->sequence, kOne[0])));
    }
    REQUIRE((*opened).sync());
  }
  FileJournalOptions brief = options();
  brief.dedup_horizon = 100s;
  brief.dedup_count = 10;
  disk.kill();
  CHECK(open(disk, brief, kStart + 500s).found.recent.size() == 101);
  disk.kill();
  CHECK(open(disk, brief, kStart + 24h).found.recent.size() == 10);
}

TEST_CASE("damage refuses to open, naming the place, and can be accepted once") {
  MemFiles disk;
  EventRef victim;
  {
    auto opened = open(disk);
    for (std::size_t index = 1; index <= 9; ++index) {
      const auto ref = (*opened).append(kStart, kOne, body(index));
      if (index == 4) victim = *ref;
      REQUIRE((*opened).sync());
    }
  }
  disk.flip("/j/00000001.log", (victim.position & 0xffffffffU) + 40, 0);
  auto refused = open(disk);
  REQUIRE(!refused.journal);
  CHECK(refused.journal.error().fault == Fault::Corrupt);
  CHECK(refused.journal.error().what.find("00000001.log: damaged at offset ") != std::string::npos);
  FileJournalOptions accept = options();
  accept.accept_damage = true;
  {
    auto opened = open(disk, accept);
    REQUIRE(opened.journal);
    CHECK(opened.found.pending.size() == 8);
    CHECK((*opened).append(kStart, kOne, "on")->sequence == 10);
    REQUIRE((*opened).sync());
  }
  CHECK(open(disk).found.pending.size() == 9);
}

TEST_CASE("the journal is what docs/journal-format.md says, byte for byte") {
  MemFiles disk;
  const WallTime noon{conga::Duration(1'795'413'600'000'000)};
  {
    auto opened = open(disk);
    REQUIRE((*opened).append(noon, kOne, "\x81\xa2id\xa1x"));
    REQUIRE((*opened).sync());
    SettledRecord record = settled(1, kOne[0]);
    record.instance = "p1";
    record.first_attempt = record.last_attempt = noon + 1ms;
    record.at = noon + 3ms;
    REQUIRE((*opened).append(record));
    REQUIRE((*opened).append(noon + 5ms, {}, "\x80"));
    REQUIRE((*opened).sync());
  }
  const std::string bytes = disk.content("/j/00000001.log");
  std::ifstream page(CONGA_JOURNAL_FORMAT);
  REQUIRE(page.is_open());
  std::size_t compared = 0;
  for (std::string line; std::getline(page, line);) {
    // Four spaces, an offset of four digits, and sixteen bytes.
    std::istringstream words(line);
    std::string word;
    words >> word;
    const bool hex = word.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!line.starts_with("    ") || word.size() != 4 || !hex || line.size() < 57) continue;
    std::size_t offset = std::stoul(word, nullptr, 16);
    for (int column = 0; column < 16; ++column, ++offset) {
      words >> word;
      REQUIRE(word.size() == 2);
      CAPTURE(offset);
      CHECK(static_cast<unsigned char>(bytes.at(offset)) == std::stoul(word, nullptr, 16));
      ++compared;
    }
  }
  CHECK(compared == 17 * 16);
}

TEST_CASE("records come back as they were written") {
  const auto times = rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t count) {
    return WallTime(conga::Duration(count));
  });
  CHECK(rc::check([&times](Sequence sequence,
                           std::uint32_t attempts,
                           const std::string& rule,
                           const std::string& target,
                           const std::string& text) {
    RC_PRE(sequence > 0);
    SettledRecord ended;
    ended.sequence = sequence;
    ended.target = {rule, target};
    ended.ending = Ending::DeadLetter;
    ended.attempts = attempts;
    ended.instance = text;
    ended.code = rule;
    ended.message = text;
    ended.first_attempt = *times;
    ended.last_attempt = *times;
    ended.at = *times;
    std::string bytes(conga::bus::record_size(ended), '\0');
    conga::bus::store_record(bytes.data(), ended);
    const auto read = conga::bus::read_settled_record(bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(std::tie(read->sequence, read->target, read->ending, read->attempts, read->instance)
              == std::tie(sequence, ended.target, ended.ending, attempts, text));
    RC_ASSERT(std::tie(read->code, read->message) == std::tie(rule, text));
    RC_ASSERT(std::tie(read->first_attempt, read->last_attempt, read->at)
              == std::tie(ended.first_attempt, ended.last_attempt, ended.at));

    RetryRecord failed{
        sequence, {rule, target}, attempts, text, *times, *times, *times, rule, text};
    bytes.assign(conga::bus::record_size(failed), '\0');
    conga::bus::store_record(bytes.data(), failed);
    const auto again = conga::bus::read_retry_record(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(std::tie(again->sequence, again->target, again->attempt, again->code, again->message)
              == std::tie(sequence, failed.target, attempts, rule, text));
    RC_ASSERT(std::tie(again->sent, again->failed, again->due)
              == std::tie(failed.sent, failed.failed, failed.due));
    RC_ASSERT(!conga::bus::read_retry_record(bytes.substr(0, bytes.size() - 1)).has_value());
  }));
}

TEST_CASE("whatever happens between crashes, no durable promise is lost and none is invented") {
  CHECK(rc::check([](std::uint64_t seed) {
    Random random(seed);
    MemFiles disk;
    FileJournalOptions small = options();
    small.retention_bytes = 4 * 16384;
    std::map<std::pair<Sequence, std::string>, std::string> owed;  // To event bytes.
    std::set<std::pair<Sequence, std::string>> unsure;  // Appended or settled, perhaps durable.
    std::size_t count = 0;
    for (int restart = 0; restart < 5; ++restart) {
      auto opened = open(disk, small);
      if (!opened.journal) RC_FAIL(opened.journal.error().what);
      std::map<std::pair<Sequence, std::string>, std::string> found;
      Sequence last = 0;
      for (const PendingDelivery& pending : opened.found.pending) {
        RC_ASSERT(pending.event.sequence >= last);
        last = pending.event.sequence;
        const auto event = (*opened).read(pending.event);
        if (!event) RC_FAIL(event.error().what);
        found[{pending.event.sequence, pending.target.rule}] = event->bytes;
      }
      for (const auto& entry : owed) {
        if (unsure.contains(entry.first)) continue;
        RC_ASSERT(found.contains(entry.first));
        RC_ASSERT(found[entry.first] == entry.second);
      }
      for (const auto& entry : found) {
        RC_ASSERT(owed.contains(entry.first) || unsure.contains(entry.first));
      }
      owed = found;
      unsure.clear();
      const std::uint64_t steps = random.below(300);
      for (std::uint64_t step = 0; step < steps; ++step) {
        const std::uint64_t what = random.below(20);
        if (what < 6) {
          const std::string bytes = body(++count, 20 + random.below(600));
          const auto ref = (*opened).append(kStart, kTwo, bytes);
          if (!ref) RC_FAIL(ref.error().what);
          for (const TargetName& target : kTwo) {
            owed[{ref->sequence, target.rule}] = bytes;
            unsure.insert({ref->sequence, target.rule});
          }
        } else if (what < 16 && !owed.empty()) {
          // The oldest are settled first, but for some stragglers.
          auto victim = owed.begin();
          std::advance(
              victim,
              static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(owed.size(), 8))));
          const TargetName& target = victim->first.second == "charge" ? kTwo[0] : kTwo[1];
          if (what == 15) {
            if (!(*opened).append(retry(victim->first.first, target, 1))) RC_FAIL("retry");
            continue;
          }
          if (!(*opened).append(settled(victim->first.first, target))) RC_FAIL("settle");
          unsure.insert(victim->first);
          owed.erase(victim);
        } else if (what < 18) {
          if (!(*opened).maintain(kStart + std::chrono::seconds(step))) RC_FAIL("maintain");
        } else {
          const bool durable = what == 18;
          if (durable && !(*opened).append(kStart, {}, "makes the sync durable")) RC_FAIL("append");
          if (!(*opened).sync()) RC_FAIL("sync");
          if (durable) unsure.clear();
        }
      }
      if (random.chance(0.3)) {
        disk.kill();
      } else if (random.chance(0.5)) {
        disk.crash(random.below(4000));
      } else {
        disk.crash(random);
      }
    }
  }));
}
