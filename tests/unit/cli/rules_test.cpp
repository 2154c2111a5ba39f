// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_flow.h"
#include "cli/commands/rules_offline.h"
#include "cli/event_filter.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>

using conga::Value;
using conga::cli::ExitCode;
using conga::cli::judge_case;
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
