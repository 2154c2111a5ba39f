// SPDX-License-Identifier: Apache-2.0
//
// The trace index follows the journal, skips nothing over crashes, and can be built anew.

#include "bus/sidecar/trace_index.h"

#include "bus/sidecar/file_journal.h"
#include "common/wire/event/event.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using conga::Event;
using conga::Random;
using conga::Uuid;
using conga::UuidFactory;
using conga::WallTime;
using conga::bus::DatabaseHandle;
using conga::bus::DatabaseSync;
using conga::bus::Ending;
using conga::bus::FileJournal;
using conga::bus::FileJournalOptions;
using conga::bus::open_database;
using conga::bus::PendingDelivery;
using conga::bus::RecoveryVisitor;
using conga::bus::RetryRecord;
using conga::bus::Sequence;
using conga::bus::SettledRecord;
using conga::bus::TargetName;
using conga::bus::TracedEvent;
using conga::bus::TraceIndex;
using conga::testing::MemFiles;

const WallTime kNow{std::chrono::hours(24 * 365 * 55)};
const TargetName kPayment{"charge", "payment"};
const TargetName kNotification{"tell", "notification"};

class Ignore final : public RecoveryVisitor {
public:
  void on_recent_event(std::string_view /*event_bytes*/, WallTime /*ingested*/) override {}

  void on_pending(const PendingDelivery& /*delivery*/) override {}
};

std::unique_ptr<FileJournal> open_journal(MemFiles& disk) {
  FileJournalOptions options;
  options.directory = "/j";
  options.segment_size = 16384;
  options.retention_bytes = 5 * 16384;
  Ignore visitor;
  auto journal = FileJournal::open(disk, options, kNow, visitor);
  REQUIRE(journal);
  return std::move(*journal);
}

DatabaseHandle memory() {
  auto database = open_database(":memory:", DatabaseSync::Normal);
  REQUIRE(database);
  return *database;
}

std::unique_ptr<TraceIndex> open_index(const DatabaseHandle& database) {
  auto index = TraceIndex::open(database, {.batch = 7});
  REQUIRE(index);
  return std::move(*index);
}

void catch_up(TraceIndex& index, FileJournal& journal) {
  while (true) {
    const auto more = index.follow(journal);
    REQUIRE(more);
    if (!*more) return;
  }
}

Event event(const Uuid& id, const std::string& correlation_id) {
  Event made;
  made.id = id;
  made.source = "aircraft.booking";
  made.detail_type = "BookingCreated";
  made.time = kNow;
  made.correlation_id = correlation_id;
  return made;
}

Sequence append(FileJournal& journal, const Event& made) {
  const std::vector<TargetName> targets{kPayment, kNotification};
  const auto ref = journal.append(kNow, targets, conga::encode(made));
  REQUIRE(ref);
  return ref->sequence;
}

void settle(FileJournal& journal, Sequence sequence, const TargetName& target, Ending ending) {
  SettledRecord record;
  record.sequence = sequence;
  record.target = target;
  record.ending = ending;
  record.attempts = 2;
  record.instance = "payment-1";
  record.first_attempt = kNow;
  record.last_attempt = kNow + 2s;
  record.at = kNow + 3s;
  if (ending == Ending::DeadLetter) record.code = "Poison";
  REQUIRE(journal.append(record));
}

void retry(FileJournal& journal, Sequence sequence, const TargetName& target) {
  RetryRecord record;
  record.sequence = sequence;
  record.target = target;
  record.attempt = 1;
  record.instance = "payment-2";
  record.sent = kNow;
  record.failed = kNow + 1s;
  record.due = kNow + 2s;
  record.code = "Busy";
  record.message = "try later";
  REQUIRE(journal.append(record));
}

std::vector<TracedEvent> trace(TraceIndex& index, FileJournal& journal, const std::string& id) {
  const auto events = index.trace(journal, id, 100);
  REQUIRE(events);
  return *events;
}

}  // namespace

TEST_CASE("a flow is found by any of its event ids and by its correlation id") {
  MemFiles disk;
  const auto journal = open_journal(disk);
  const DatabaseHandle database = memory();
  const auto index = open_index(database);
  Random random(1);
  UuidFactory ids(random);
  const Uuid first = ids.make(kNow);
  const Uuid second = ids.make(kNow);
  append(*journal, event(first, "booking-1"));
  append(*journal, event(ids.make(kNow), "booking-2"));
  append(*journal, event(second, "booking-1"));
  REQUIRE(journal->sync());
  catch_up(*index, *journal);
  for (const std::string& id : {first.text(), second.text(), std::string("booking-1")}) {
    const auto events = trace(*index, *journal, id);
    REQUIRE(events.size() == 2);
    CHECK(events[0].sequence == 1);
    CHECK(events[1].sequence == 3);
    CHECK(events[0].ingested == kNow);
    CHECK(conga::read_event(events[0].bytes)->id == first);
  }
  CHECK(trace(*index, *journal, "booking-3").empty());
  CHECK(index->trace(*journal, "booking-1", 1)->size() == 1);
}

TEST_CASE("an event without a correlation id is found with what it caused") {
  MemFiles disk;
  const auto journal = open_journal(disk);
  const DatabaseHandle database = memory();
  const auto index = open_index(database);
  Random random(1);
  UuidFactory ids(random);
  const Uuid cause = ids.make(kNow);
  append(*journal, event(cause, ""));
  Event effect = event(ids.make(kNow), "");
  effect.causation_id = cause;
  append(*journal, effect);
  append(*journal, event(ids.make(kNow), ""));
  REQUIRE(journal->sync());
  catch_up(*index, *journal);
  CHECK(trace(*index, *journal, cause.text()).size() == 2);
  CHECK(trace(*index, *journal, effect.id.text()).size() == 1);
  CHECK(trace(*index, *journal, "").empty());
}

TEST_CASE("every delivery is told with its attempts and its outcome") {
  MemFiles disk;
  const auto journal = open_journal(disk);
  const DatabaseHandle database = memory();
  const auto index = open_index(database);
  Random random(1);
  UuidFactory ids(random);
  const Sequence sequence = append(*journal, event(ids.make(kNow), "b"));
  REQUIRE(journal->sync());
  catch_up(*index, *journal);
  CHECK(trace(*index, *journal, "b")[0].deliveries[0].outcome == "pending");
  retry(*journal, sequence, kPayment);
  settle(*journal, sequence, kPayment, Ending::Settled);
  settle(*journal, sequence, kNotification, Ending::DeadLetter);
  append(*journal, event(ids.make(kNow), "other"));
  REQUIRE(journal->sync());
  catch_up(*index, *journal);
  const auto events = trace(*index, *journal, "b");
  REQUIRE(events.size() == 1);
  REQUIRE(events[0].deliveries.size() == 2);
  const auto& paid = events[0].deliveries[0];
  CHECK(paid.target == kPayment);
  CHECK(paid.outcome == "ok");
  REQUIRE(paid.attempts.size() == 2);
  CHECK(paid.attempts[0].number == 1);
  CHECK(paid.attempts[0].outcome == "retry");
  CHECK(paid.attempts[0].instance == "payment-2");
  CHECK(paid.attempts[0].code == "Busy");
  CHECK(paid.attempts[0].message == "try later");
  CHECK(paid.attempts[0].sent == kNow);
  CHECK(paid.attempts[0].ended == kNow + 1s);
  CHECK(paid.attempts[1].number == 2);
  CHECK(paid.attempts[1].outcome == "ok");
  CHECK(paid.attempts[1].sent == kNow + 2s);
  const auto& told = events[0].deliveries[1];
  CHECK(told.outcome == "dead-letter");
  CHECK(told.attempts.back().code == "Poison");
}

TEST_CASE("over crashes of the index nothing is skipped and nothing told twice") {
  MemFiles disk;
  const auto journal = open_journal(disk);
  const DatabaseHandle database = memory();
  auto index = open_index(database);
  Random random(5);
  UuidFactory ids(random);
  for (int round = 0; round < 30; ++round) {
    const Sequence sequence = append(*journal, event(ids.make(kNow), "flow"));
    settle(*journal, sequence, kPayment, Ending::Settled);
    REQUIRE(journal->sync());
    if (random.chance(0.5)) REQUIRE(index->follow(*journal));
    if (random.chance(0.3)) index = open_index(database);
  }
  catch_up(*index, *journal);
  const auto events = trace(*index, *journal, "flow");
  REQUIRE(events.size() == 30);
  for (const TracedEvent& each : events) {
    CHECK(each.deliveries[0].outcome == "ok");
    CHECK(each.deliveries[1].outcome == "pending");
  }
  const DatabaseHandle another = memory();
  const auto rebuilt = open_index(another);
  catch_up(*rebuilt, *journal);
  CHECK(trace(*rebuilt, *journal, "flow").size() == 30);
}

TEST_CASE("what retention dropped is forgotten, and a carried straggler is still told whole") {
  MemFiles disk;
  const auto journal = open_journal(disk);
  const DatabaseHandle database = memory();
  const auto index = open_index(database);
  Random random(5);
  UuidFactory ids(random);
  const Sequence straggler = append(*journal, event(ids.make(kNow), "straggler"));
  settle(*journal, straggler, kPayment, Ending::Settled);
  for (int round = 0; round < 1500; ++round) {
    const Sequence sequence = append(*journal, event(ids.make(kNow), "flow"));
    settle(*journal, sequence, kPayment, Ending::Settled);
    settle(*journal, sequence, kNotification, Ending::Settled);
    REQUIRE(journal->sync());
    REQUIRE(journal->maintain(kNow));
    catch_up(*index, *journal);
  }
  for (int more = 0; more < 200; ++more) catch_up(*index, *journal);
  const auto flow = index->trace(*journal, "flow", 10000);
  REQUIRE(flow);
  CHECK(flow->size() < 200);
  CHECK(flow->size() > 30);
  const auto events = trace(*index, *journal, "straggler");
  REQUIRE(events.size() == 1);
  CHECK(events[0].deliveries.size() == 2);
}
