// SPDX-License-Identifier: Apache-2.0

#include "bus/rule_versions.h"

#include "common/io/small_files.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>

using conga::WallTime;
using conga::bus::RuleVersions;
using conga::testing::MemFiles;

namespace {

constexpr const char* kPath = "/etc/conga/rules.yaml";

const WallTime kNow{std::chrono::hours(490'000)};

struct Machine {
  Machine() {
    REQUIRE(files.make_directory("/etc/conga"));
    REQUIRE(replace_file(files, kPath, "first"));
  }

  std::string text() { return *read_file(files, kPath); }

  MemFiles files;
  RuleVersions versions{files, kPath, 3};
};

}  // namespace

TEST_CASE("a change keeps what the file held, and itself, as versions") {
  Machine machine;
  CHECK(machine.versions.list()->empty());
  CHECK(*machine.versions.current() == std::nullopt);
  const auto applied = machine.versions.apply("second", "ada@ops", "", kNow);
  REQUIRE(applied);
  CHECK(applied->number == 2);
  CHECK(machine.text() == "second");
  const auto list = machine.versions.list();
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].note == "found in the file");
  CHECK((*list)[0].by.empty());
  CHECK((*list)[1].by == "ada@ops");
  CHECK((*list)[1].at == kNow);
  CHECK(*machine.versions.text_of(1) == "first");
  CHECK(*machine.versions.current() == std::optional<std::uint64_t>(2));
}

TEST_CASE("what was edited by hand between two changes is a version too") {
  Machine machine;
  REQUIRE(machine.versions.apply("second", "ada", "", kNow));
  REQUIRE(replace_file(machine.files, kPath, "by hand"));
  CHECK(*machine.versions.current() == std::nullopt);
  REQUIRE(machine.versions.apply("third", "bob", "", kNow));
  CHECK(*machine.versions.text_of(3) == "by hand");
  CHECK(*machine.versions.text_of(4) == "third");
}

TEST_CASE("the oldest versions go, their numbers are not used again") {
  Machine machine;
  for (const char* text : {"b", "c", "d"}) REQUIRE(machine.versions.apply(text, "", "", kNow));
  const auto list = machine.versions.list();
  REQUIRE(list->size() == 3);
  CHECK(list->front().number == 2);
  CHECK(machine.versions.text_of(1).error().code == "NotFound");
  CHECK(*machine.versions.text_of(4) == "d");
}

TEST_CASE("a power loss at any write leaves the old rules or the new, and no version is lost") {
  for (std::size_t count = 0; count < 12; ++count) {
    Machine machine;
    REQUIRE(machine.versions.apply("second", "", "", kNow));
    machine.files.fail_write(count);
    const bool applied = machine.versions.apply("third", "", "", kNow).has_value();
    machine.files.crash();
    RuleVersions after(machine.files, kPath, 3);
    CHECK((machine.text() == "third") == applied);
    if (!applied) CHECK(machine.text() == "second");
    std::set<std::string> texts;
    const auto list = after.list();
    REQUIRE(list);
    for (const auto& version : *list) texts.insert(*after.text_of(version.number));
    CHECK(texts.contains("first"));
    CHECK(texts.contains("second"));
    REQUIRE(after.apply("fourth", "", "", kNow));
    CHECK(machine.text() == "fourth");
  }
}

TEST_CASE("an index that is no index is told with its line") {
  Machine machine;
  REQUIRE(machine.versions.apply("second", "", "", kNow));
  REQUIRE(replace_file(machine.files, "/etc/conga/rules.yaml.versions/index.jsonl", "{}\n"));
  CHECK(machine.versions.list().error().what.find("index.jsonl:1: ") != std::string::npos);
}
