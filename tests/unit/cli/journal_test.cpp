// SPDX-License-Identifier: Apache-2.0
//
// `conga journal` on journals that FileJournal wrote, whole, alive and damaged.

#include "cli/commands/journal.h"

#include "bus/sidecar/file_journal.h"
#include "tests/support/mem_files.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using conga::Uuid;
using conga::WallTime;
using conga::bus::Ending;
using conga::bus::FileJournal;
using conga::bus::TargetName;
using conga::cli::ExitCode;
using conga::cli::JournalOptions;
using conga::cli::Look;
using conga::cli::testing::packed;
using conga::cli::testing::PaperScreen;
using conga::testing::MemFiles;
using Action = conga::cli::JournalOptions::Action;

const WallTime kStart{std::chrono::hours(24 * 365 * 50)};
const std::string kSegment = "journal/00000001.log";
constexpr std::uint64_t kFirstRecord = 4096;

class Collector final : public conga::bus::RecoveryVisitor {
public:
  void on_recent_event(std::string_view /*event_bytes*/, WallTime /*ingested*/) override {}

  void on_pending(const conga::bus::PendingDelivery& delivery) override {
    pending.push_back(delivery);
  }

  std::vector<conga::bus::PendingDelivery> pending;
};

std::string order(char digit) {
  return packed(R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d1)" + std::string(1, digit)
                + R"(","source":"shop.orders","detail-type":"OrderPlaced","detail":{"total":42}})");
}

struct Ran {
  ExitCode code = ExitCode::Done;
  std::string out;
  std::string err;
};

/// A journal of four events: settled after a retry, a dead letter, one open, one for nobody.
struct Site {
  MemFiles files;
  std::unique_ptr<FileJournal> journal;

  Site() {
    Collector found;
    conga::bus::FileJournalOptions options;
    options.directory = "journal";
    options.segment_size = 64 * 1024;
    options.hold_back = 4096;
    auto opened = FileJournal::open(files, options, kStart, found);
    REQUIRE(opened);
    journal = std::move(*opened);
    const TargetName target{"bill-orders", "billing"};
    for (const char digit : {'1', '2', '3'}) {
      REQUIRE(journal->append(kStart, std::vector<TargetName>{target}, order(digit)));
      REQUIRE(journal->sync());
    }
    REQUIRE(journal->append(conga::bus::RetryRecord{.sequence = 1,
                                                    .target = target,
                                                    .attempt = 1,
                                                    .instance = "billing-1",
                                                    .sent = kStart,
                                                    .failed = kStart,
                                                    .due = kStart,
                                                    .code = "Busy",
                                                    .message = "later"}));
    REQUIRE(journal->append(conga::bus::SettledRecord{.sequence = 1,
                                                      .target = target,
                                                      .ending = Ending::Settled,
                                                      .attempts = 2,
                                                      .instance = "billing-1",
                                                      .first_attempt = kStart,
                                                      .last_attempt = kStart,
                                                      .at = kStart}));
    REQUIRE(journal->append(conga::bus::SettledRecord{.sequence = 2,
                                                      .target = target,
                                                      .ending = Ending::DeadLetter,
                                                      .attempts = 1,
                                                      .instance = "billing-1",
                                                      .first_attempt = kStart,
                                                      .last_attempt = kStart,
                                                      .at = kStart,
                                                      .code = "Bad\x1b",
                                                      .message = "no"}));
    REQUIRE(journal->append(kStart, {}, order('4')));
    REQUIRE(journal->sync());
  }

  Ran run(Action action, bool json = false) {
    PaperScreen screen;
    const JournalOptions options{.action = action, .directory = "journal"};
    Look look;
    look.json = json;
    const ExitCode code = conga::cli::run_journal(files, options, screen, look);
    return {.code = code, .out = screen.out, .err = screen.err};
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sound journal is told so, while its writer has it open") {
  Site site;
  const std::string before = site.files.content(kSegment);
  const auto ran = site.run(Action::Verify);
  CHECK(ran.code == ExitCode::Done);
  CHECK(ran.out == "1 segment, 7 records, no damage\n");
  CHECK(site.files.content(kSegment) == before);
  const auto json = site.run(Action::Verify, true);
  CHECK(has(json.out, R"("sound":true)"));
  CHECK(has(json.out, R"("findings":[])"));
}

TEST_CASE("a flipped bit in any byte of a durable record is told with its place") {
  Site site;
  for (std::uint64_t byte = 0; byte < 48; ++byte) {
    site.files.flip(kSegment, kFirstRecord + byte, 3);
    const auto ran = site.run(Action::Verify);
    CHECK(ran.code == ExitCode::Refused);
    CHECK(has(ran.out, "journal/00000001.log: corrupt at offset 4096 ("));
    CHECK(has(ran.out, "6 records, damaged at 1 place"));
    CHECK(has(site.run(Action::Verify, true).out, R"("offset":4096)"));
    site.files.flip(kSegment, kFirstRecord + byte, 3);
  }
  CHECK(site.run(Action::Verify).code == ExitCode::Done);
}

TEST_CASE("damage is told beside a dump and beside figures") {
  Site site;
  site.files.flip(kSegment, kFirstRecord + 20, 0);
  for (const Action action : {Action::Dump, Action::Stats}) {
    const auto ran = site.run(action);
    CHECK(ran.code == ExitCode::Refused);
    CHECK(has(ran.err, "conga: journal/00000001.log: corrupt at offset 4096"));
  }
}

TEST_CASE("one bad copy of a header is damage that costs nothing") {
  Site site;
  site.files.flip(kSegment, 12, 0);
  const auto ran = site.run(Action::Verify);
  CHECK(ran.code == ExitCode::Refused);
  CHECK(has(ran.out, "mendable at offset 0"));
  CHECK(has(ran.out, "7 records"));
}

TEST_CASE("an unfinished write at the end is no damage") {
  Site site;
  std::string bytes = site.files.content(kSegment);
  const std::size_t end = bytes.find_last_not_of('\0') + 64;
  bytes.replace(end / 8 * 8, 7, "garbage");
  site.files.set_content(kSegment, bytes);
  CHECK(site.run(Action::Verify).code == ExitCode::Done);
}

TEST_CASE("a dump has every record in order, and no control character") {
  Site site;
  const auto ran = site.run(Action::Dump);
  CHECK(ran.code == ExitCode::Done);
  CHECK(ran.out.starts_with("1:4096 event 1 "));
  CHECK(has(ran.out, "shop.orders OrderPlaced → bill-orders/billing\n"));
  CHECK(has(ran.out, " retry 1 "));
  CHECK(has(ran.out, "bill-orders/billing attempt 1 due "));
  CHECK(has(ran.out, " Busy: later\n"));
  CHECK(has(ran.out, "after 2 attempts by billing-1\n"));
  CHECK(has(ran.out, " dead-letter 2 "));
  CHECK(has(ran.out, " Bad\\x1b: no\n"));
  CHECK(ran.out.ends_with("→ nobody\n"));
}

TEST_CASE("a dump in JSON has the whole event") {
  Site site;
  const std::string out = site.run(Action::Dump, true).out;
  CHECK(has(out, R"("type":"event","sequence":1)"));
  CHECK(has(out, R"("targets":[{"rule":"bill-orders","target":"billing"}])"));
  CHECK(has(out, R"("detail":{"total":42})"));
  CHECK(has(out, R"("type":"dead-letter","sequence":2)"));
  CHECK(has(out, R"("type":"retry","sequence":1)"));
}

TEST_CASE("a dump tells which events are owed once more") {
  Site site;
  const std::vector<TargetName> target{{"bill-orders", "billing"}};
  REQUIRE(site.journal->append_again(kStart, target, order('2')));
  REQUIRE(site.journal->sync());
  CHECK(site.run(Action::Dump).out.ends_with("OrderPlaced again → bill-orders/billing\n"));
  CHECK(has(site.run(Action::Dump, true).out, R"("again":true,)"));
}

TEST_CASE("figures count what is there") {
  Site site;
  const std::string out = site.run(Action::Stats, true).out;
  CHECK(has(out, R"("events":4,"carried":0,"settled":1,"dead-letters":1,"retries":1)"));
  CHECK(has(out, R"("first-sequence":1,"last-sequence":4)"));
  CHECK(has(site.run(Action::Stats).out, "dead-letters"));
}

TEST_CASE("a folder without a journal, or with another version's, is wrong usage") {
  Site site;
  PaperScreen screen;
  REQUIRE(site.files.make_directory("empty"));
  for (const std::string directory : {"empty", "absent"}) {
    const JournalOptions options{.action = Action::Verify, .directory = directory};
    CHECK(conga::cli::run_journal(site.files, options, screen, {}) == ExitCode::Usage);
  }
  CHECK(has(screen.err, "conga: empty: no segment of a journal"));
  std::string bytes = site.files.content(kSegment);
  bytes[8] = bytes[2048 + 8] = '\x02';
  site.files.set_content(kSegment, bytes);
  const auto ran = site.run(Action::Verify);
  CHECK(ran.code == ExitCode::Usage);
  CHECK(has(ran.err, "a journal of version 2"));
}

TEST_CASE("the journal that version 1 wrote is read for ever") {
  const auto content = [](const std::string& name) {
    std::ifstream file(std::string(CONGA_GOLDEN) + "/" + name, std::ios::binary);
    REQUIRE(file);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  };
  Site site;
  site.journal.reset();
  site.files.set_content(kSegment, content("00000001.log"));
  const auto ran = site.run(Action::Dump, true);
  CHECK(ran.code == ExitCode::Done);
  CHECK(ran.out == content("dump.jsonl"));
  Collector found;
  conga::bus::FileJournalOptions options;
  options.directory = "journal";
  auto opened = FileJournal::open(site.files, options, kStart, found);
  REQUIRE(opened);
  REQUIRE(found.pending.size() == 1);
  CHECK(found.pending[0].event.sequence == 3);
  CHECK(found.pending[0].target == TargetName{"bill-orders", "billing"});
  const auto event = (*opened)->read(found.pending[0].event);
  REQUIRE(event);
  CHECK(event->bytes == order('3'));
  CHECK((*opened)->stats().next_sequence == 5);
}
