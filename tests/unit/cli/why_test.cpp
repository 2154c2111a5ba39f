// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/why.h"

#include "tests/support/mem_files.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using conga::cli::ExitCode;
using conga::cli::explain_event;
using conga::cli::WhyOptions;
using conga::cli::testing::PaperScreen;

namespace {

constexpr const char* kEvent =
    R"({"id":"01a2093f-339b-776e-9b02-37f8420a5210","source":"shop","detail-type":"Placed",)"
    R"("detail":{"total":5}})";

/// A rule file for as long as it lives.
struct Rules {
  Rules() {
    std::string name = (std::filesystem::temp_directory_path() / "conga-why-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    std::ofstream(folder / "rules.yaml")
        << "rules:\n"
           "  - {name: far, pattern: {source: [web], detail-type: [Paid]}, targets: [{service: "
           "a}]}\n"
           "  - {name: near, pattern: {source: [shop], detail: {total: [{numeric: ['>', 9]}]}},"
           " targets: [{service: a}]}\n"
           "  - {name: hit, pattern: {source: [shop]}, targets: [{service: a}]}\n"
           "  - {name: nearish, pattern: {source: [web]}, targets: [{service: a}]}\n";
  }

  ~Rules() { std::filesystem::remove_all(folder); }

  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  ExitCode why(const std::string& rule, PaperScreen& screen) const {
    conga::testing::MemFiles files;
    const WhyOptions options{
        .event = kEvent, .rule = rule, .rules = {(folder / "rules.yaml").string()}, .journal = {}};
    return explain_event(files, options, screen, {});
  }

  std::filesystem::path folder;
};

}  // namespace

TEST_CASE("one rule is explained by the field that failed and the value found") {
  const Rules rules;
  PaperScreen screen;
  CHECK(rules.why("near", screen) == ExitCode::Refused);
  CHECK(
      screen.out.ends_with("rules.yaml:3: near: does not match\n"
                           "    no value of 'detail.total' satisfies {\"numeric\":[\">\",9]}; "
                           "found 5\n"));
  CHECK(rules.why("hit", screen) == ExitCode::Done);
  CHECK(rules.why("none", screen) == ExitCode::Refused);
  CHECK(screen.err == "conga: no rule is called none\n");
}

TEST_CASE("all rules are told: what matches, then the nearest misses") {
  const Rules rules;
  PaperScreen screen;
  CHECK(rules.why("", screen) == ExitCode::Done);
  const auto at = [&](const char* name) {
    return screen.out.find(std::string(": ") + name + ": ");
  };
  CHECK(at("hit") < at("near"));
  CHECK(at("near") < at("nearish"));
  CHECK(at("nearish") < at("far"));
  CHECK(at("far") != std::string::npos);
}

TEST_CASE("an event id needs a journal to be looked for in") {
  CHECK_FALSE(fault_of(WhyOptions{.event = "01a2093f-339b-776e-9b02-37f8420a5210",
                                  .rule = {},
                                  .rules = {},
                                  .journal = {}})
                  .empty());
}
