// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/daemon.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

const conga::DaemonInfo kInfo{
    .name = "conga-test",
    .description = "A test.",
    .config = "",
    .examples = "  conga-test --config x.yaml",
    .reports = {{"--map", "FLIGHT", "Prints a map."}, {"--ledger", "", "Prints the ledger."}}};

std::optional<int> parse(std::vector<std::string> words, conga::DaemonFlags& flags) {
  std::string name = kInfo.name;
  std::vector<char*> arguments{name.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  return conga::parse_flags(kInfo, static_cast<int>(arguments.size()), arguments.data(), flags);
}

class TextFile {
public:
  explicit TextFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path = name;
    std::ofstream(path) << text;
  }

  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  ~TextFile() { std::filesystem::remove(path); }

  std::string path;
};

}  // namespace

TEST_CASE("flags are read, --set more than once") {
  conga::DaemonFlags flags;
  CHECK_FALSE(parse({"--config", "a.yaml", "--set", "a.b=1", "--set", "c=2", "--check"}, flags));
  CHECK(flags.config == "a.yaml");
  CHECK(flags.sets == std::vector<std::string>{"a.b=1", "c=2"});
  CHECK(flags.check);
}

TEST_CASE("one report at a time") {
  conga::DaemonFlags flags;
  CHECK_FALSE(parse({"--config", "a.yaml", "--map", "LH123"}, flags));
  CHECK(flags.report == "--map");
  CHECK(flags.report_argument == "LH123");
  conga::DaemonFlags other;
  CHECK_FALSE(parse({"--config", "a.yaml", "--ledger"}, other));
  CHECK(other.report == "--ledger");
  conga::DaemonFlags both;
  CHECK(parse({"--config", "a.yaml", "--ledger", "--map", "LH123"}, both) == conga::kExitUsage);
}

TEST_CASE("help is done, a wrong or missing flag is usage") {
  conga::DaemonFlags flags;
  CHECK(parse({"--help"}, flags) == conga::kExitDone);
  CHECK(parse({"--version"}, flags) == conga::kExitDone);
  CHECK(parse({"--config", "a.yaml", "--nonsense"}, flags) == conga::kExitUsage);
  CHECK(parse({}, flags) == conga::kExitUsage);
}

TEST_CASE("a value set by a flag wins over the file, and unknown keys are faults") {
  const TextFile file("credit: 5\nlog: {level: debug}\nnonsense: 1\n");
  const conga::DaemonFlags flags{
      .config = file.path, .sets = {"credit=9"}, .ready_file = {}, .check = false};
  int credit = 0;
  conga::LogOptions log;
  const auto loaded = conga::load_config(flags, [&](conga::ConfigReader& reader) {
    reader.integer("credit", credit, 1, 100);
    conga::read_log_options(reader, log);
  });
  CHECK(credit == 9);
  CHECK(log.level == conga::LogLevel::Debug);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().what.find(":3:1: nonsense: unknown key. Allowed: ") != std::string::npos);
}

TEST_CASE("a file that is not there is told by name") {
  const conga::DaemonFlags flags{
      .config = "/nonexistent/x.yaml", .sets = {}, .ready_file = {}, .check = false};
  const auto loaded = conga::load_config(flags, [](conga::ConfigReader&) {});
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().what.find("/nonexistent/x.yaml") != std::string::npos);
}
