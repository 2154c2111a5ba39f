// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/chaos_compare.h"

#include "cli/chaos/blame.h"
#include "common/wire/event/event.h"
#include "tests/support/mem_files.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using conga::Event;
using conga::Uuid;
using conga::bus::Ending;
using conga::cli::Blame;
using conga::cli::CompareOptions;
using conga::cli::Culprit;
using conga::cli::Deed;
using conga::cli::Deeds;
using conga::cli::difference_of;
using conga::cli::ExitCode;
using conga::cli::Facts;
using conga::cli::FlowKey;
using conga::cli::JournalEntry;
using conga::cli::RunDifference;
using conga::cli::RunRecord;
using conga::cli::Symptom;
using conga::cli::testing::packed;

namespace {

/// What a test says of an event. Ids are named, and differ from run to run.
struct Said {
  std::string id;
  std::string cause;
  std::string source;
  std::string type;
  std::string detail = "{}";
  std::string target{};
};

class Run {
public:
  explicit Run(std::string name) : name_(std::move(name)) {}

  Uuid id(const std::string& of) const { return Uuid::v5(Uuid(), name_ + of); }

  Run& say(const Said& said) {
    Event event;
    event.id = id(said.id);
    event.source = said.source;
    event.detail_type = said.type;
    event.correlation_id = "K-1";
    event.detail = packed(said.detail);
    if (!said.cause.empty()) event.causation_id = id(said.cause);
    const std::string bytes = conga::encode(event);
    JournalEntry entry;
    entry.type = conga::bus::kEventRecord;
    entry.event.sequence = ++sequence_;
    entry.view = *conga::read_event(bytes);
    if (!said.target.empty()) entry.targets.push_back({.rule = "r", .target = said.target});
    record.add(entry);
    if (!said.target.empty()) end(said.target, Ending::Settled);
    return *this;
  }

  /// The newest event's delivery.
  Run& end(const std::string& target, Ending ending) {
    JournalEntry entry;
    entry.type = conga::bus::kSettledRecord;
    entry.settled.sequence = sequence_;
    entry.settled.target = {.rule = "r", .target = target};
    entry.settled.ending = ending;
    entry.settled.code = ending == Ending::DeadLetter ? "Twice" : "";
    record.add(entry);
    return *this;
  }

  /// An order that is billed and told of, as it should be.
  Run& order() {
    return say({.id = "o",
                .cause = "",
                .source = "shop.web",
                .type = "Ordered",
                .target = "billing"})
        .say({.id = "b",
              .cause = "o",
              .source = "shop.billing",
              .type = "Billed",
              .detail = R"({"sum":5})",
              .target = "mail"})
        .say({.id = "m", .cause = "b", .source = "shop.mail", .type = "Mailed"});
  }

  RunRecord record;

private:
  std::string name_;
  conga::bus::Sequence sequence_ = 0;
};

RunDifference between(const Run& clean,
                      const Run& chaos,
                      const std::vector<std::string>& ignored = {}) {
  return difference_of({&clean.record, 1}, chaos.record, ignored);
}

Blame blame_of(const Run& clean, const Run& chaos, const Deeds& deeds = {}) {
  return conga::cli::blame(between(clean, chaos), clean.record, chaos.record, deeds, {});
}

/// That an event was sent twice.
Deeds sent_twice(const Run& run, const std::string& id, const std::string& service) {
  Deed deed{.event = run.id(id),
            .source = "",
            .detail_type = "",
            .correlation_id = "K-1",
            .service = service,
            .attempt = 1,
            .plan = {}};
  deed.plan.copy = std::chrono::milliseconds(1);
  return {{deed.event, {deed}}};
}

}  // namespace

TEST_CASE("an event's facts are its leaves by pointer") {
  Facts facts;
  const std::string bytes = packed(R"({"a/b":{"c":[1,{"d":"x"}],"~":null},"e":[]})");
  conga::cli::flatten(conga::Value::trusted(bytes), "", facts);
  CHECK(facts
        == Facts{{"/a~1b/c/0", "1"}, {"/a~1b/c/1/d", "\"x\""}, {"/a~1b/~0", "null"}, {"/e", "[]"}});
}

TEST_CASE("runs that say the same in another order are the same") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.say({.id = "m", .cause = "b", .source = "shop.mail", .type = "Mailed"})
      .say({.id = "b",
            .cause = "o",
            .source = "shop.billing",
            .type = "Billed",
            .detail = R"({"sum":5})"})
      .say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered"});
  const RunDifference difference = between(clean, chaos);
  CHECK(difference.groups.empty());
  CHECK(difference.flows == 1);
  CHECK(difference.events == 3);
}

TEST_CASE("what is ignored, or differs in clean runs, is not compared") {
  const auto with = [](const std::string& name, const std::string& detail) {
    Run run(name);
    run.say({.id = "o", .cause = "", .source = "s", .type = "T", .detail = detail});
    return run;
  };
  const Run clean = with("1", R"({"number":1,"lines":[{"no":1,"item":"x"}]})");
  const Run other = with("2", R"({"number":2,"lines":[{"no":2,"item":"x"}]})");
  CHECK(between(clean, other).groups.size() == 1);
  CHECK(between(clean, other, {"/detail/number"}).groups.size() == 1);
  CHECK(between(clean, other, {"/detail/number", "/detail/lines/*/no"}).groups.empty());
  CHECK(between(clean, other, {"/detail"}).groups.empty());
  CHECK(between(clean, other, {"/det", "/detail/numbers", "/detail/lines/*/no/x"}).groups.size()
        == 1);

  std::vector<RunRecord> runs;
  for (const char* detail : {R"({"number":1,"sum":5})", R"({"number":2,"sum":5})"}) {
    Run run = with(detail, detail);
    runs.push_back(std::move(run.record));
  }
  const Run same = with("3", R"({"number":3,"sum":5})");
  const Run wrong = with("4", R"({"number":4,"sum":6})");
  const RunDifference none = difference_of(runs, same.record, {});
  CHECK(none.groups.empty());
  CHECK(none.noise.at({"s", "T"}) == std::set<std::string>{"/detail/number"});
  CHECK(difference_of(runs, same.record, {"/detail/number"}).noise.empty());
  const RunDifference one = difference_of(runs, wrong.record, {});
  REQUIRE(one.groups.size() == 1);
  CHECK(one.groups.begin()->second.changes
        == std::vector<conga::cli::FactChange>{
            {.pointer = "/detail/sum", .clean = "5", .chaos = "6"}});
}

TEST_CASE("what clean runs do not agree on is not judged, nor what follows from it") {
  std::vector<RunRecord> runs;
  for (int count : {1, 2}) {
    Run run("clean");
    for (int each = 0; each < count; ++each) {
      run.say({.id = std::to_string(each), .cause = "", .source = "clock", .type = "Ticked"});
    }
    runs.push_back(std::move(run.record));
  }
  Run chaos("chaos");
  chaos.say({.id = "t", .cause = "", .source = "clock", .type = "Ticked"})
      .say({.id = "x", .cause = "t", .source = "shop.mail", .type = "Mailed"});
  const RunDifference difference = difference_of(runs, chaos.record, {});
  CHECK(difference.unjudged.size() == 1);
  const Blame blame = conga::cli::blame(difference, runs.front(), chaos.record, {}, {});
  CHECK(blame.culprits.empty());
  CHECK(blame.downstream == 1);
}

TEST_CASE("a service that answers a repeat twice is named, and those behind it are not") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.order()
      .say({.id = "b2",
            .cause = "o",
            .source = "shop.billing",
            .type = "Billed",
            .detail = R"({"sum":5})",
            .target = "mail"})
      .say({.id = "m2", .cause = "b2", .source = "shop.mail", .type = "Mailed"});
  for (const Deeds& deeds : {Deeds{}, sent_twice(chaos, "o", "billing")}) {
    const Blame blame = blame_of(clean, chaos, deeds);
    REQUIRE(blame.culprits.size() == 1);
    const Culprit& culprit = blame.culprits.front();
    CHECK(culprit.service == "billing");
    CHECK(culprit.is_not_idempotent());
    REQUIRE(culprit.findings.size() == 1);
    CHECK(culprit.findings.front().symptom == Symptom::Repeated);
    CHECK(culprit.findings.front().cause->id == chaos.id("o"));
    CHECK(culprit.findings.front().deeds.size() == deeds.size());
    CHECK(blame.downstream == 1);
  }
}

TEST_CASE("a service behind a culprit is named too if it has a fault of its own") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.order()
      .say({.id = "b2",
            .cause = "o",
            .source = "shop.billing",
            .type = "Billed",
            .detail = R"({"sum":5})",
            .target = "mail"})
      .say({.id = "m2", .cause = "b2", .source = "shop.mail", .type = "Mailed"})
      .say({.id = "m3", .cause = "b2", .source = "shop.mail", .type = "Mailed"});
  const Blame blame = blame_of(clean, chaos);
  REQUIRE(blame.culprits.size() == 2);
  CHECK(blame.culprits[0].service == "billing");
  CHECK(blame.culprits[1].service == "mail");
}

TEST_CASE("what is missing is laid to who was to emit it, with what was done to its event") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"});
  const Blame blame = blame_of(clean, chaos, sent_twice(chaos, "o", "billing"));
  REQUIRE(blame.culprits.size() == 1);
  CHECK(blame.culprits.front().service == "billing");
  CHECK(blame.culprits.front().findings.front().symptom == Symptom::Missing);
  CHECK(blame.culprits.front().findings.front().cause->id == chaos.id("o"));
  CHECK(blame.culprits.front().is_not_idempotent());
  CHECK(blame.downstream == 1);
}

TEST_CASE("a service that says something else of single deliveries is idempotent, but not steady") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"})
      .say({.id = "b",
            .cause = "o",
            .source = "shop.billing",
            .type = "Billed",
            .detail = R"({"sum":6})",
            .target = "mail"})
      .say({.id = "m", .cause = "b", .source = "shop.mail", .type = "Mailed"});
  const Blame steady = blame_of(clean, chaos);
  REQUIRE(steady.culprits.size() == 1);
  CHECK(steady.culprits.front().findings.front().symptom == Symptom::Changed);
  CHECK_FALSE(steady.culprits.front().is_not_idempotent());
  CHECK(blame_of(clean, chaos, sent_twice(chaos, "o", "billing"))
            .culprits.front()
            .is_not_idempotent());
}

TEST_CASE("a redelivery that the journal tells of is a repeat, whoever brought it about") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"});
  JournalEntry retry;
  retry.type = conga::bus::kRetryRecord;
  retry.retry.sequence = 1;
  retry.retry.target = {.rule = "r", .target = "billing"};
  retry.retry.code = "AckTimeout";
  chaos.record.add(retry);
  const Blame blame = blame_of(clean, chaos);
  REQUIRE(blame.culprits.size() == 1);
  CHECK(blame.culprits.front().findings.front().redelivered == "AckTimeout");
  CHECK(blame.culprits.front().is_not_idempotent());
}

TEST_CASE("a dead letter that only chaos brought is laid to its service") {
  Run clean("clean");
  clean.say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"});
  Run chaos("chaos");
  chaos.say({.id = "o", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"})
      .end("billing", Ending::DeadLetter);
  const Blame blame = blame_of(clean, chaos, sent_twice(chaos, "o", "billing"));
  REQUIRE(blame.culprits.size() == 1);
  CHECK(blame.culprits.front().findings.front().code == "Twice");
  CHECK(blame.culprits.front().is_not_idempotent());
  CHECK(blame_of(chaos, chaos).culprits.empty());
}

TEST_CASE("other events from outside are nobody's fault") {
  Run clean("clean");
  clean.order();
  Run chaos("chaos");
  chaos.order().say(
      {.id = "p", .cause = "", .source = "shop.web", .type = "Ordered", .target = "billing"});
  const Blame blame = blame_of(clean, chaos);
  CHECK(blame.culprits.empty());
  REQUIRE(blame.other_input.size() == 1);
  CHECK(blame.other_input.front().source == "shop.web");
}

TEST_CASE("a run that is not over is told by its pending deliveries") {
  Run run("run");
  run.order();
  CHECK(run.record.pending() == 0);
  RunRecord open;
  Event event;
  event.id = run.id("x");
  event.source = "s";
  event.detail_type = "T";
  const std::string bytes = conga::encode(event);
  JournalEntry entry;
  entry.type = conga::bus::kEventRecord;
  entry.view = *conga::read_event(bytes);
  entry.targets = {{.rule = "r", .target = "billing"}};
  open.add(entry);
  CHECK(open.pending() == 1);
}

TEST_CASE("runs that cannot be compared are a matter of usage") {
  conga::testing::MemFiles files;
  conga::cli::testing::PaperScreen screen;
  CHECK(conga::cli::compare_runs(files, {.clean = {"/nowhere"}, .chaos = "/nowhere"}, screen, {})
        == ExitCode::Usage);
  CHECK(screen.err.find("/nowhere") != std::string::npos);
  CHECK(conga::cli::fault_of(CompareOptions{.ignored = {"detail.total"}}).find("JSON pointer")
        != std::string::npos);
}
