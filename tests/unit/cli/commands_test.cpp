// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/audit.h"
#include "cli/commands/dlq.h"
#include "cli/commands/redrive.h"
#include "cli/commands/rules.h"
#include "cli/commands/tap.h"
#include "cli/commands/target.h"
#include "cli/commands/trace.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>

using conga::Value;
using conga::cli::Dlq;
using conga::cli::DlqOptions;
using conga::cli::ExitCode;
using conga::cli::Look;
using conga::cli::Redrive;
using conga::cli::RedriveTasks;
using conga::cli::Tap;
using conga::cli::Target;
using conga::cli::TargetOptions;
using conga::cli::Trace;
using conga::cli::testing::Desk;
using conga::cli::testing::packed;
using conga::cli::testing::PaperScreen;

namespace {

constexpr const char* kSold =
    R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"shop","detail-type":"Sold","detail":{}})";

constexpr const char* kLetter =
    R"({"number":17,"sequence":4,"rule":"charge","target":"payment","service":"payment",
        "event-id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"shop","detail-type":"Sold",
        "correlation-id":"A-7","error-code":"AcquirerDown","error-message":"no route",
        "exhausted-retry-condition":"MaximumRetryAttempts","retry-attempts":8,
        "first-attempt":"2026-11-23T10:00:00.000000Z","last-attempt":"2026-11-23T10:05:00.000000Z",
        "time":"2026-11-23T10:05:00.100000Z","event":{"source":"shop"}})";

}  // namespace

TEST_CASE("without a bus a command says where it looked and what to do, and exits 3") {
  Desk desk;
  desk.answers_hello = false;
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "A-7"}, screen, {});
  const auto start = desk.now.steady;
  CHECK(desk.run(trace) == ExitCode::NoBus);
  CHECK(desk.now.steady - start == std::chrono::seconds(3));
  CHECK(screen.err
        == "conga: no bus answered within 3s (published to tcp://127.0.0.1:7461, listened on "
           "tcp://127.0.0.1:7462). Start one with scripts/up, or say where it is: --config "
           "bus.yaml, or --publish and --subscribe, or CONGA_PUBLISH and CONGA_SUBSCRIBE.\n");
}

TEST_CASE("a question that nobody answers exits 3 too") {
  Desk desk;
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "A-7"}, screen, {});
  CHECK(desk.run(trace) == ExitCode::NoBus);
  CHECK(screen.err.find("not `trace` within 3s") != std::string::npos);
}

TEST_CASE("a refusal is shown with its code and exits 1") {
  Desk desk;
  desk.refusals["trace"] = {"Unavailable", "the sidecar is down"};
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "A-7"}, screen, {});
  CHECK(desk.run(trace) == ExitCode::Refused);
  CHECK(screen.err == "conga: Unavailable: the sidecar is down\n");
}

TEST_CASE("trace asks for its subject, and what is not there is refused") {
  Desk desk;
  desk.answers["trace"] = R"({"events":[]})";
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "A-7"}, screen, {});
  CHECK(desk.run(trace) == ExitCode::Refused);
  REQUIRE(desk.asked.size() == 1);
  CHECK(desk.asked[0].second == R"({"id":"A-7"})");
  CHECK(screen.err.find("'A-7'") != std::string::npos);
}

TEST_CASE("trace in JSON is the bus's own answer") {
  Desk desk;
  desk.answers["trace"] = R"({"events":[{"id":"e1"}]})";
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "e1"}, screen, Look{.json = true});
  CHECK(desk.run(trace) == ExitCode::Done);
  CHECK(screen.out == "{\"events\":[{\"id\":\"e1\"}]}\n");
}

TEST_CASE("trace --follow waits until nothing is pending and nothing more comes") {
  const auto flow = [](const std::string& outcome) {
    return R"({"events":[{"id":"e1","detail-type":"Asked","source":"web","sequence":1,)"
           R"("deliveries":[{"rule":"r","target":"desk","outcome":")"
           + outcome + R"(","attempts":[]}]}]})";
  };
  Desk desk;
  desk.answers["trace"] = flow("pending");
  PaperScreen screen;
  Trace trace(desk.settings(), {.subject = "e1", .mermaid = true, .follow = true}, screen, Look{});
  while (desk.asked.size() < 3) {
    desk.turn(trace);
    desk.advance(std::chrono::milliseconds(100));
    REQUIRE_FALSE(trace.exit_code());
  }
  desk.answers["trace"] = flow("ok");
  CHECK(desk.run(trace) == ExitCode::Done);
  CHECK(desk.asked.size() >= 5);  // once more when it is over: something may have followed
  CHECK(screen.out == "sequenceDiagram\n  web ->> desk: Asked\n");
}

TEST_CASE("tap shows what its filter wants and ends after its count") {
  Desk desk;
  PaperScreen screen;
  int seen = 0;
  Tap tap(
      desk.settings(),
      {.count = 2},
      [&seen](const Value&) { return ++seen != 2; },
      nullptr,
      screen,
      Look{.json = true});
  CHECK(tap.subscriptions() == std::vector<std::string>{"event/", "answer/conga-test"});
  for (int turn = 0; turn < 5; ++turn) desk.turn(tap);
  desk.send("event/shop/Sold", packed(kSold) + packed(kSold));
  desk.send("event/shop/Sold", packed(kSold) + packed(kSold));
  CHECK(desk.run(tap) == ExitCode::Done);
  CHECK(seen == 3);
  CHECK(screen.out == std::string(kSold) + "\n" + kSold + "\n");
}

TEST_CASE("tap of a routed topic does not show its neighbour's events") {
  Desk desk;
  PaperScreen screen;
  Tap tap(desk.settings(),
          {.topic = "fares", .count = 1},
          nullptr,
          nullptr,
          screen,
          Look{.json = true});
  for (int turn = 0; turn < 5; ++turn) desk.turn(tap);
  desk.send("topic/fares-old", packed(kSold));
  desk.turn(tap);
  CHECK_FALSE(tap.exit_code());
  desk.send("topic/fares", packed(kSold));
  CHECK(desk.run(tap) == ExitCode::Done);
}

TEST_CASE("tap outlives garbage and ends well at Ctrl-C") {
  Desk desk;
  PaperScreen screen;
  Tap tap(desk.settings(), {}, nullptr, nullptr, screen, {});
  for (int turn = 0; turn < 5; ++turn) desk.turn(tap);
  desk.send("event/shop/Sold", "\xc1");
  desk.turn(tap);
  CHECK(screen.err.find("skipped") != std::string::npos);
  tap.drain(desk.now);
  CHECK(tap.exit_code() == ExitCode::Done);
}

TEST_CASE("dead letters are listed with their reason") {
  Desk desk;
  desk.answers["dlq.list"] = std::string("{\"letters\":[") + kLetter + "]}";
  PaperScreen screen;
  Dlq dlq(desk.settings(), {.rule = "charge"}, screen, {});
  CHECK(desk.run(dlq) == ExitCode::Done);
  REQUIRE(desk.asked.size() == 1);
  CHECK(desk.asked[0].second == R"({"rule":"charge","limit":50})");
  CHECK(screen.out
        == "NUMBER  TIME                 RULE    TARGET   DETAIL-TYPE  CORRELATION-ID  RETRIES  ERROR\n"
           "    17  2026-11-23T10:05:00  charge  payment  Sold         A-7                   8  "
           "AcquirerDown: no route\n");
}

TEST_CASE("a dead letter is shown with all its attributes") {
  Desk desk;
  desk.answers["dlq.show"] = kLetter;
  PaperScreen screen;
  Dlq dlq(desk.settings(), {.action = DlqOptions::Action::Show, .numbers = {17}}, screen, {});
  CHECK(desk.run(dlq) == ExitCode::Done);
  CHECK(desk.asked[0].second == R"({"numbers":[17]})");
  CHECK(screen.out
        == "Dead letter 17\n"
           "  rule                        charge\n"
           "  target                      payment\n"
           "  service                     payment\n"
           "  event-id                    01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11\n"
           "  source                      shop\n"
           "  detail-type                 Sold\n"
           "  correlation-id              A-7\n"
           "  error-code                  AcquirerDown\n"
           "  error-message               no route\n"
           "  exhausted-retry-condition   MaximumRetryAttempts\n"
           "  retry-attempts              8\n"
           "  first-attempt               2026-11-23T10:00:00.000000Z\n"
           "  last-attempt                2026-11-23T10:05:00.000000Z\n"
           "  time                        2026-11-23T10:05:00.100000Z\n"
           "  sequence                    4\n"
           "  event\n"
           "    {\n"
           "      \"source\": \"shop\"\n"
           "    }\n");
}

namespace {

/// A redrive's state as the sidecar tells it.
std::string task(const std::string& state, int total, int redriven, int settled, int dead = 0) {
  const bool stopped = state == "stopped";
  return R"({"task":4,"state":")" + state + R"(","asked":"2026-11-23T03:00:00Z","total":)"
         + std::to_string(total) + R"(,"redriven":)" + std::to_string(redriven) + R"(,"settled":)"
         + std::to_string(settled) + R"(,"dead-lettered":)" + std::to_string(dead)
         + R"(,"refused":0,"stop":)"
         + (stopped ? R"({"number":17,"event-id":"e","code":"AcquirerDown","message":"refused"})"
                    : "null")
         + "}";
}

const DlqOptions kRedrive{.action = DlqOptions::Action::Redrive, .error_code = "AcquirerDown"};

}  // namespace

TEST_CASE("redrive is followed to its end, and says how many") {
  Desk desk;
  PaperScreen screen;
  desk.answers["dlq.redrive"] = task("canary", 2, 1, 0);
  desk.answers["dlq.tasks"] = R"({"tasks":[)" + task("done", 2, 2, 1) + "]}";
  Redrive redrive(desk.settings(), kRedrive, screen, {.progress = true});
  CHECK(desk.run(redrive) == ExitCode::Done);
  CHECK(desk.asked[0].second == R"({"error-code":"AcquirerDown","canaries":1,"rate":1000})");
  CHECK(desk.asked[1].second == R"({"task":4})");
  CHECK(screen.out == "2 dead letters redriven, 1 settled so far\n");
  CHECK(
      screen.err.find("redrive 4: 1 of 2 dead letters redriven, 0 settled (waiting for the canary")
      != std::string::npos);
}

TEST_CASE("a redrive that finds nothing, stops, or loses its sidecar is a refusal") {
  Desk desk;
  PaperScreen screen;
  std::string why;
  SUBCASE("nothing") {
    desk.answers["dlq.redrive"] = task("done", 0, 0, 0);
  }
  SUBCASE("stopped") {
    desk.answers["dlq.redrive"] = task("stopped", 120, 1, 0);
    why = "stopped, for it failed again: AcquirerDown: refused\nconga: 119 dead letters left";
  }
  SUBCASE("forgotten") {
    desk.answers["dlq.redrive"] = task("redriving", 2, 1, 0);
    desk.answers["dlq.tasks"] = R"({"tasks":[]})";
    why = "the sidecar was restarted";
  }
  SUBCASE("dead again, and waited for") {
    desk.answers["dlq.redrive"] = task("redriving", 2, 1, 0);
    desk.answers["dlq.tasks"] = R"({"tasks":[)" + task("done", 2, 2, 1, 1) + "]}";
  }
  DlqOptions options = kRedrive;
  options.wait = true;
  Redrive redrive(desk.settings(), options, screen, {});
  CHECK(desk.run(redrive) == ExitCode::Refused);
  CHECK(screen.err.find(why) != std::string::npos);
}

TEST_CASE("a detached redrive is left alone; tasks and cancel show it") {
  Desk desk;
  PaperScreen screen;
  DlqOptions options = kRedrive;
  options.detach = true;
  desk.answers["dlq.redrive"] = task("canary", 2, 1, 0);
  Redrive redrive(desk.settings(), options, screen, {});
  CHECK(desk.run(redrive) == ExitCode::Done);
  CHECK(screen.out == "redrive 4 is under way: conga dlq tasks\n");

  screen.out.clear();
  desk.answers["dlq.tasks"] = R"({"tasks":[)" + task("stopped", 9, 3, 2) + "]}";
  RedriveTasks tasks(desk.settings(), {.action = DlqOptions::Action::Tasks}, screen, {});
  CHECK(desk.run(tasks) == ExitCode::Done);
  CHECK(screen.out
        == "redrive 4: 3 of 9 dead letters redriven, 2 settled (stopped): AcquirerDown: refused\n");

  desk.answers["dlq.cancel"] = task("cancelled", 9, 3, 2);
  desk.asked.clear();
  RedriveTasks cancel(
      desk.settings(), {.action = DlqOptions::Action::Cancel, .numbers = {4}}, screen, {});
  CHECK(desk.run(cancel) == ExitCode::Done);
  CHECK(desk.asked[0].second == R"({"task":4})");
}

TEST_CASE("dead letters are exported with their events, a line each") {
  Desk desk;
  PaperScreen screen;
  desk.answers["dlq.list"] =
      R"({"count":2,"letters":[{"number":1,"event":{"id":"a"}},{"number":2,"event":{"id":"b"}}]})";
  Dlq exported(desk.settings(), {.action = DlqOptions::Action::Export}, screen, {});
  CHECK(desk.run(exported) == ExitCode::Done);
  CHECK(desk.asked[0].second == R"({"events":true,"limit":100})");
  CHECK(screen.out
        == "{\"number\":1,\"event\":{\"id\":\"a\"}}\n"
           "{\"number\":2,\"event\":{\"id\":\"b\"}}\n");
  CHECK(screen.err == "2 dead letters exported\n");
}

TEST_CASE("the audit is a table, or lines of JSON") {
  Desk desk;
  PaperScreen screen;
  desk.answers["audit.list"] =
      R"({"entries":[{"number":1,"time":"2026-11-23T03:00:00.000000Z","by":"ada@ops",)"
      R"("client":"c","verb":"target.pause","arguments":"{\"target\":\"payment\",\"by\":\"x\"}",)"
      R"("outcome":"{\"targets\":[{},{}]}"}]})";
  conga::cli::Audit audit(desk.settings(), {}, screen, {});
  CHECK(desk.run(audit) == ExitCode::Done);
  CHECK(screen.out
        == "TIME                 BY       VERB          ARGUMENTS       OUTCOME\n"
           "2026-11-23T03:00:00  ada@ops  target.pause  target payment  2 targets\n");
}

TEST_CASE("purge asks with the filter in words") {
  using conga::cli::purge_question;
  const auto action = DlqOptions::Action::Purge;
  CHECK(purge_question({.action = action, .all = true})
        == "Delete ALL dead letters for good? [y/N] ");
  CHECK(purge_question({.action = action, .numbers = {1, 2}, .rule = "r"})
        == "Delete the dead letters with number 1, 2 and rule 'r' for good? [y/N] ");
  CHECK(purge_question({.action = action, .rule = "r", .error_code = "E"})
        == "Delete the dead letters with rule 'r' and error-code 'E' for good? [y/N] ");
}

TEST_CASE("the bus's rules are listed with pattern and targets") {
  Desk desk;
  desk.answers["rules.list"] =
      R"({"generation":2,"rules":[{"name":"charge","pattern":{"source":["shop"]},
          "targets":[{"service":"payment"},{"topic":"sales"}]}]})";
  PaperScreen screen;
  conga::cli::Rules rules(desk.settings(), conga::cli::RulesOptions::Action::List, screen, Look{});
  CHECK(desk.run(rules) == ExitCode::Done);
  CHECK(screen.out
        == "charge\n"
           "    {\"source\":[\"shop\"]}\n"
           "    → service payment\n"
           "    → topic sales\n"
           "1 rule\n");
}

TEST_CASE("a reload that the bus refuses shows where the rules are wrong") {
  Desk desk;
  desk.refusals["rules.reload"] = {"InvalidRules",
                                   "rules.yaml:3:5: unknown\x1b[2J\nrules.yaml:4:1: two"};
  PaperScreen screen;
  conga::cli::Rules rules(
      desk.settings(), conga::cli::RulesOptions::Action::Reload, screen, Look{});
  CHECK(desk.run(rules) == ExitCode::Refused);
  CHECK(screen.err
        == "conga: InvalidRules: rules.yaml:3:5: unknown\\x1b[2J\nrules.yaml:4:1: two\n");
}

TEST_CASE("target pause and resume ask for what was named and say what was done") {
  for (const bool pauses : {true, false}) {
    Desk desk;
    desk.answers["target.pause"] =
        R"({"targets":[{"rule":"charge","target":"payment","paused":true}]})";
    desk.answers["target.resume"] =
        R"({"targets":[{"rule":"charge","target":"payment","paused":false}]})";
    PaperScreen screen;
    const auto action = pauses ? TargetOptions::Action::Pause : TargetOptions::Action::Resume;
    Target command(desk.settings(),
                   {.action = action, .name = "payment", .rule = pauses ? "charge" : ""},
                   screen,
                   {});
    CHECK(desk.run(command) == ExitCode::Done);
    REQUIRE(desk.asked.size() == 1);
    CHECK(desk.asked[0].first == (pauses ? "target.pause" : "target.resume"));
    CHECK(desk.asked[0].second
          == (pauses ? R"({"target":"payment","rule":"charge"})" : R"({"target":"payment"})"));
    CHECK(screen.out == std::string(pauses ? "paused" : "resumed") + " payment of rule charge\n");
  }
}

TEST_CASE("dead letters are counted by cause, the most frequent first") {
  const auto letter = [](int number, const std::string& code) {
    return R"({"number":)" + std::to_string(number) + R"(,"rule":"charge","target":"payment",)"
           + R"("error-code":")" + code + R"(","error-message":"no route","time":"2026-11-23T10:0)"
           + std::to_string(number) + R"(:00.5Z"})";
  };
  Desk desk;
  desk.answers["dlq.list"] = R"({"count":3,"letters":[)" + letter(1, "Malformed") + ","
                             + letter(2, "AcquirerDown") + "," + letter(3, "AcquirerDown") + "]}";
  PaperScreen screen;
  Dlq dlq(desk.settings(), {.action = DlqOptions::Action::Causes}, screen, {});
  CHECK(desk.run(dlq) == ExitCode::Done);
  CHECK(screen.out
        == "COUNT  ERROR                   RULE    TARGET   OLDEST               NEWEST               EXAMPLE\n"
           "    2  AcquirerDown: no route  charge  payment  2026-11-23T10:02:00  2026-11-23T10:03:00        3\n"
           "    1  Malformed: no route     charge  payment  2026-11-23T10:01:00  2026-11-23T10:01:00        1\n");
}
