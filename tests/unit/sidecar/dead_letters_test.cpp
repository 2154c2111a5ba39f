// SPDX-License-Identifier: Apache-2.0
//
// Dead letters are kept whole, once, and across the death of whoever wrote them.

#include "bus/sidecar/sqlite_dead_letters.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

using conga::Result;
using conga::WallTime;
using conga::bus::DatabaseHandle;
using conga::bus::DatabaseSync;
using conga::bus::DeadLetter;
using conga::bus::DeadLetterFilter;
using conga::bus::open_database;
using conga::bus::SqliteDeadLetters;

const WallTime kNow{std::chrono::hours(24 * 365 * 55) + 123456us};

DatabaseHandle memory() {
  auto database = open_database(":memory:", DatabaseSync::Full);
  REQUIRE(database);
  return *database;
}

std::unique_ptr<SqliteDeadLetters> open(const DatabaseHandle& database) {
  auto letters = SqliteDeadLetters::open(database);
  REQUIRE(letters);
  return std::move(*letters);
}

DeadLetter letter(const std::string& event_id, const std::string& rule = "charge") {
  DeadLetter letter;
  letter.sequence = 7;
  letter.target = {rule, "payment"};
  letter.service = "payment";
  letter.event_id = event_id;
  letter.source = "aircraft.booking";
  letter.detail_type = "BookingCreated";
  letter.correlation_id = "booking-" + event_id;
  letter.error_code = "CardRefused";
  letter.error_message = "the \"card\" was refused; 'no' funds";
  letter.exhausted_retry_condition = "MaximumRetryAttempts";
  letter.retry_attempts = 3;
  letter.first_attempt = kNow;
  letter.last_attempt = kNow + 5s;
  letter.at = kNow + 6s;
  letter.event = std::string("\x81\x00\xff bytes", 9);
  return letter;
}

std::vector<std::string> ids(const Result<std::vector<DeadLetter>>& letters) {
  REQUIRE(letters);
  std::vector<std::string> found;
  for (const DeadLetter& each : *letters) found.push_back(each.event_id);
  return found;
}

}  // namespace

TEST_CASE("a dead letter comes back with all of its attributes") {
  const DatabaseHandle database = memory();
  const auto letters = open(database);
  const DeadLetter put = letter("e1");
  REQUIRE(letters->add(put));
  DeadLetter never_tried = letter("e2");
  never_tried.first_attempt.reset();
  never_tried.last_attempt.reset();
  REQUIRE(letters->add(never_tried));
  REQUIRE(letters->sync());
  const auto found = letters->list({});
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  const DeadLetter& got = (*found)[0];
  CHECK(got.number == 1);
  CHECK(got.sequence == put.sequence);
  CHECK(got.target == put.target);
  CHECK(got.service == put.service);
  CHECK(got.event_id == put.event_id);
  CHECK(got.source == put.source);
  CHECK(got.detail_type == put.detail_type);
  CHECK(got.correlation_id == put.correlation_id);
  CHECK(got.error_code == put.error_code);
  CHECK(got.error_message == put.error_message);
  CHECK(got.exhausted_retry_condition == put.exhausted_retry_condition);
  CHECK(got.retry_attempts == put.retry_attempts);
  CHECK(got.first_attempt == put.first_attempt);
  CHECK(got.last_attempt == put.last_attempt);
  CHECK(got.at == put.at);
  CHECK(got.event == put.event);
  CHECK(!(*found)[1].first_attempt);
  CHECK(!(*found)[1].last_attempt);
}

TEST_CASE("the same delivery given up twice is one dead letter") {
  const DatabaseHandle database = memory();
  const auto letters = open(database);
  REQUIRE(letters->add(letter("e1")));
  REQUIRE(letters->add(letter("e1")));
  REQUIRE(letters->add(letter("e1", "tell")));
  REQUIRE(letters->sync());
  CHECK(*letters->count() == 2);
}

TEST_CASE("what was not synced is gone after a crash, what was is not") {
  const DatabaseHandle database = memory();
  {
    const auto letters = open(database);
    REQUIRE(letters->add(letter("kept")));
    REQUIRE(letters->sync());
    REQUIRE(letters->add(letter("lost")));
    REQUIRE(letters->remove(1));
  }
  const auto letters = open(database);
  CHECK(ids(letters->list({})) == std::vector<std::string>{"kept"});
}

TEST_CASE("numbers are never used twice") {
  const DatabaseHandle database = memory();
  const auto letters = open(database);
  REQUIRE(letters->add(letter("e1")));
  REQUIRE(letters->add(letter("e2")));
  REQUIRE(letters->remove(2));
  REQUIRE(letters->sync());
  REQUIRE(letters->add(letter("e3")));
  CHECK(letters->list({})->back().number == 3);
}

TEST_CASE("a filter takes every condition at once, and pages") {
  const DatabaseHandle database = memory();
  const auto letters = open(database);
  for (int index = 0; index < 10; ++index) {
    DeadLetter each = letter("e" + std::to_string(index), index % 2 == 0 ? "even" : "odd");
    if (index >= 5) each.error_code = "Late";
    REQUIRE(letters->add(each));
  }
  REQUIRE(letters->sync());
  DeadLetterFilter filter;
  filter.rule = "even";
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e0", "e2", "e4", "e6", "e8"});
  filter.error_code = "Late";
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e6", "e8"});
  filter.numbers = {7, 8};
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e6"});
  filter = {};
  filter.target = "payment";
  filter.limit = 3;
  filter.after = 4;
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e4", "e5", "e6"});
  filter = {};
  filter.event_id = "e3";
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e3"});
  filter = {};
  filter.correlation_id = "booking-e9";
  CHECK(ids(letters->list(filter)) == std::vector<std::string>{"e9"});
}

TEST_CASE("a database file is made, kept and refused when it is of another version") {
  std::string pattern = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const std::string path = pattern + "/dead-letters.db";
  {
    auto letters = SqliteDeadLetters::open(path);
    REQUIRE(letters);
    REQUIRE((*letters)->add(letter("e1")));
    REQUIRE((*letters)->sync());
  }
  {
    auto letters = SqliteDeadLetters::open(path);
    REQUIRE(letters);
    CHECK(*(*letters)->count() == 1);
  }
  const std::string set_version = "sqlite3 " + path + " 'pragma user_version = 9'";
  if (std::system(set_version.c_str()) == 0) {
    const auto refused = SqliteDeadLetters::open(path);
    REQUIRE(!refused);
    CHECK(refused.error().code == "OtherVersion");
    CHECK(refused.error().what.find(path) != std::string::npos);
  }
  CHECK(!SqliteDeadLetters::open(pattern + "/absent/dead-letters.db"));
  std::filesystem::remove_all(pattern);
}
