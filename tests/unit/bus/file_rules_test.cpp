// SPDX-License-Identifier: Apache-2.0
//
// FileRules on a real folder, with the threads that it reads and writes on.

#include "bus/file_rules.h"

#include "common/config/config_reader.h"
#include "common/io/posix_files.h"
#include "common/io/small_files.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using conga::bus::FileRules;
using conga::bus::RulesChange;

namespace {

const std::string kOne = "rules: [{name: one, pattern: {source: [s]}, targets: [{service: t}]}]\n";
const std::string kNone = "rules: []\n";

/// A folder with a rules file, gone afterwards.
struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "conga-rules-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    REQUIRE(replace_file(files, file(), kOne));
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path); }

  std::string file() const { return path + "/rules.yaml"; }

  conga::PosixFiles files;
  std::string path;
};

RulesChange change_to(const std::string& text) {
  RulesChange change;
  change.text = text;
  change.by = "ada";
  return change;
}

}  // namespace

TEST_CASE("rules are read and changed on other threads, one change after the other") {
  Folder folder;
  FileRules rules(folder.files, folder.file(), 10);
  auto loaded = rules.load();
  auto first = rules.change(change_to(kNone));
  auto second = rules.change(change_to(kOne));
  CHECK(loaded.get().has_value());
  CHECK(first.get()->rules().empty());
  CHECK(second.get()->rules().size() == 1);
  const auto versions = rules.versions(0);
  REQUIRE(versions);
  // What was found, and the two changes in whichever order they came.
  CHECK(conga::Value::trusted(*versions).find("versions")->size() >= 3);
}

TEST_CASE("a wrong text, a dry run and an unknown version change nothing") {
  Folder folder;
  FileRules rules(folder.files, folder.file(), 10);
  const auto wrong = rules.change(change_to("rules: 7")).get();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().what.find(folder.file() + ":1:8: ") != std::string::npos);
  RulesChange dry = change_to(kNone);
  dry.dry_run = true;
  CHECK(rules.change(dry).get().error().code == "DryRun");
  RulesChange back;
  back.version = 3;
  CHECK(rules.change(back).get().error().code == "NotFound");
  CHECK(*conga::read_text_file(folder.file()) == kOne);
  CHECK_FALSE(std::filesystem::exists(folder.file() + ".versions/000001.yaml"));
}

TEST_CASE("a rollback is a version too, and its text is the earlier one") {
  Folder folder;
  FileRules rules(folder.files, folder.file(), 10);
  REQUIRE(rules.change(change_to(kNone)).get());
  RulesChange back;
  back.version = 1;
  const auto rolled = rules.change(back).get();
  REQUIRE(rolled);
  CHECK(rolled->rules().size() == 1);
  CHECK(*conga::read_text_file(folder.file()) == kOne);
  const auto versions = rules.versions(3);
  REQUIRE(versions);
  const conga::Value answer = conga::Value::trusted(*versions);
  CHECK(answer.find("current")->uint64() == 3);
  CHECK(answer.find("text")->string() == kOne);
}
