// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/journal_format.h"
#include "cli/commands/rules_change.h"
#include "cli/commands/rules_flow.h"
#include "cli/commands/rules_offline.h"
#include "cli/commands/rules_stats.h"
#include "cli/event_filter.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using conga::Value;
using conga::cli::ExitCode;
using conga::cli::judge_case;
using conga::cli::Look;
using conga::cli::RulesChange;
using conga::cli::RulesOptions;
using conga::cli::testing::Desk;
using conga::cli::testing::packed;
using conga::cli::testing::PaperScreen;

TEST_CASE("a case holds pattern and event as JSON values or as JSON text") {
  CHECK(judge_case(R"({"pattern":{"a":[1]},"event":{"a":1}})") == "true");
  CHECK(judge_case(R"({"pattern":"{\"a\":[1]}","event":"{\"a\":3.0e2}"})") == "false");
  CHECK(judge_case(R"({"pattern":"{\"a\":[300]}","event":"{\"a\":3.0e2}"})") == "true");
}

TEST_CASE("a case that makes no sense is invalid with the reason") {
  CHECK(judge_case(R"({"pattern":{"a":1},"event":{}})").starts_with("invalid: "));
  CHECK(judge_case(R"({"pattern":{"a":[1]},"event":"["})").starts_with("invalid: "));
  CHECK(judge_case(R"({"pattern":{"a":[1]}})").starts_with("invalid: a case is"));
  CHECK(judge_case("[").starts_with("invalid: the case: "));
}

TEST_CASE("one pattern and one event exit 0 or 1, and 2 if they cannot be read") {
  PaperScreen screen;
  CHECK(conga::cli::test_one(R"({"a":[1]})", R"({"a":1})", screen, {}) == ExitCode::Done);
  CHECK(screen.out == "true\n");
  CHECK(conga::cli::test_one(R"({"a":[1]})", R"({"a":2})", screen, {}) == ExitCode::Refused);
  CHECK(screen.out == "true\nfalse\n");
  CHECK(screen.err.empty());
  CHECK(conga::cli::test_one(R"({"a":[1]})", R"({"a":2})", screen, {}, true) == ExitCode::Refused);
  CHECK(screen.out.ends_with("no value of 'a' satisfies 1; found 2\n"));
  CHECK(conga::cli::test_one("{", "{}", screen, {}) == ExitCode::Usage);
  CHECK(conga::cli::test_one("@/nowhere", "{}", screen, {}) == ExitCode::Usage);
  CHECK(screen.err.find("--pattern: /nowhere: No such file") != std::string::npos);
}

TEST_CASE("a filter wants what its pattern matches") {
  const auto filter = conga::cli::filter_of_pattern(R"({"source":["shop"]})");
  REQUIRE(filter);
  const std::string shop = packed(R"({"source":"shop"})");
  const std::string web = packed(R"({"source":"web"})");
  CHECK((*filter)(Value::trusted(shop)));
  CHECK_FALSE((*filter)(Value::trusted(web)));
  CHECK_FALSE((*filter)(Value()));
  const auto broken = conga::cli::filter_of_pattern(R"({"source":"shop"})");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().what.starts_with("--pattern: "));
}

TEST_CASE("a rule file that is not there is a fault") {
  PaperScreen screen;
  CHECK(conga::cli::check_files({.files = {"/nowhere.yaml"}}, screen, {}) == ExitCode::Refused);
  CHECK(screen.out.find("/nowhere.yaml") != std::string::npos);
}

TEST_CASE("a flow is drawn with one arrow from each to each, named after its events") {
  using conga::bus::Arrow;
  const std::vector<Arrow> arrows{
      {.from = "(outside)", .detail_type = "Asked", .rule = "r1", .to = "desk", .target = "desk"},
      {.from = "(outside)", .detail_type = "Begged", .rule = "r1", .to = "desk", .target = "desk"},
      {.from = "desk",
       .detail_type = "Answered",
       .rule = "r2",
       .to = "topic: board",
       .target = "topic: board"}};
  CHECK(conga::cli::mermaid_of(arrows)
        == "flowchart LR\n"
           "  _outside_[\"(outside)\"]\n"
           "  desk[\"desk\"]\n"
           "  topic__board[\"topic: board\"]\n"
           "  _outside_ -->|\"Asked<br/>Begged\"| desk\n"
           "  desk -->|\"Answered\"| topic__board\n");
}

TEST_CASE("a flow of files that cannot be read is refused with their name") {
  PaperScreen screen;
  const conga::cli::RulesOptions options{.action = conga::cli::RulesOptions::Action::Flow,
                                         .files = {"/nowhere/rules.yaml"},
                                         .manifests = {}};
  CHECK(conga::cli::show_flow(options, screen, {}) == ExitCode::Refused);
  CHECK(screen.err.find("/nowhere/rules.yaml: cannot be read") != std::string::npos);
}

TEST_CASE("a list of rules tells each target's retry policy and limits") {
  const std::string answer = packed(
      R"({"rules":[{"name":"charge","enabled":false,"replay":true,"matches":1,)"
      R"("pattern":{"source":["shop"]},"targets":[{"service":"payment","retry":{"max-attempts":8,)"
      R"("max-age":"1h","backoff":{"initial":"200ms","factor":2,"max":"30s","jitter":"full"}},)"
      R"("ack-timeout":"15s","ordering":"/detail/id","rate-limit":5},{"topic":"board"}]}]})");
  CHECK(conga::cli::list_rules(Value::trusted(answer), {})
        == "charge, 1 event, disabled, replay\n"
           "    {\"source\":[\"shop\"]}\n"
           "    → service payment: 8 retries within 1h, backoff 200ms x2 up to 30s, jitter full, "
           "ack-timeout 15s, ordering /detail/id, rate-limit 5\n"
           "    → topic board\n"
           "1 rule\n");
}

TEST_CASE("changes of rules are told by name, whatever their order, place and counts") {
  const std::string now =
      packed(R"({"rules":[{"name":"a","matches":5,"line":1,"pattern":{"source":["x"]}},)"
             R"({"name":"b","pattern":{}}],"expectations":[{"name":"e","within":"1s"}]})");
  const std::string then = packed(
      R"({"rules":[{"name":"c","pattern":{}},{"name":"a","line":9,"pattern":{"source":["x"]}}],)"
      R"("expectations":[{"name":"e","within":"2s"}]})");
  const auto changes =
      conga::cli::changes_between(conga::Value::trusted(now), conga::Value::trusted(then));
  CHECK(changes.added == std::vector<std::string>{"rule c"});
  CHECK(changes.removed == std::vector<std::string>{"rule b"});
  CHECK(changes.changed == std::vector<std::string>{"expectation e"});
}

TEST_CASE("apply shows what changed, a dry run says that it is right, versions are a table") {
  Desk desk;
  desk.answers["rules.list"] = R"({"rules":[],"expectations":[]})";
  desk.answers["rules.apply"] = R"({"generation":4,"rules":0})";
  const RulesOptions apply{.action = RulesOptions::Action::Apply};
  PaperScreen screen;
  RulesChange change(desk.settings(), apply, "rules: []", screen, Look{});
  CHECK(desk.run(change) == ExitCode::Done);
  CHECK(screen.out == "no rule differs; 0 rules at work, generation 4\n");
  CHECK(desk.asked[1].second == R"({"by":"","text":"rules: []"})");

  desk.answers.erase("rules.apply");
  desk.refusals["rules.apply"] = {"DryRun", "the rules are right; nothing was changed"};
  PaperScreen dry;
  RulesChange trial(
      desk.settings(), {.action = RulesOptions::Action::Apply, .dry_run = true}, "x", dry, Look{});
  CHECK(desk.run(trial) == ExitCode::Done);
  CHECK(dry.out == "the rules are right; nothing was changed\n");

  desk.answers["rules.versions"] =
      R"({"current":2,"versions":[{"version":1,"time":"2026-11-23T03:00:00Z","by":"","note":"found in the file"},)"
      R"({"version":2,"time":"2026-11-23T03:10:00Z","by":"ada@ops","note":""}]})";
  PaperScreen table;
  RulesChange versions(
      desk.settings(), {.action = RulesOptions::Action::Versions}, "", table, Look{});
  CHECK(desk.run(versions) == ExitCode::Done);
  CHECK(table.out
        == "VERSION  TIME                 BY\n"
           "      1  2026-11-23T03:00:00           found in the file\n"
           "      2  2026-11-23T03:10:00  ada@ops  at work\n");
}

TEST_CASE("rule stats count events by rule, remember the last, and what nobody wanted") {
  using conga::bus::TargetName;
  const conga::WallTime start{std::chrono::hours(490'000)};
  conga::cli::RuleStats stats(start);
  const auto event = [&](const std::string& type, int minute, std::vector<TargetName> targets) {
    conga::Event made;
    made.source = type == "News" ? "conga.dlq" : "shop";
    made.detail_type = type;
    made.id = conga::Uuid::v5({}, type + std::to_string(minute));
    const std::string bytes = conga::encode(made);
    conga::cli::JournalEntry entry;
    entry.type = conga::bus::kEventRecord;
    entry.event.ingested = start + std::chrono::minutes(minute);
    entry.view = *conga::read_event(bytes);
    entry.targets = std::move(targets);
    stats.add(entry);
  };
  event("Old", -5, {{"bill", "a"}});
  event("Paid", 1, {{"bill", "a"}, {"bill", "b"}, {"ship", "c"}});
  event("Paid", 2, {{"bill", "a"}, {"wait", "~expectation"}});
  event("Lost", 3, {{"wait", "~expectation"}});
  event("News", 4, {});
  CHECK(stats.rules().at("bill").count == 2);
  CHECK(stats.rules().at("bill").last == start + std::chrono::minutes(2));
  CHECK(stats.rules().at("ship").count == 1);
  CHECK_FALSE(stats.rules().contains("wait"));
  REQUIRE(stats.unmatched().size() == 1);
  CHECK(stats.unmatched().begin()->first.second == "Lost");
  CHECK(stats.oldest() == start - std::chrono::minutes(5));
}
