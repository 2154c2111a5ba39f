// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/rule_set.h"

#include "common/core/random.h"
#include "common/wire/event/json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using conga::bus::RuleFile;
using conga::bus::RuleSet;

constexpr const char* kRules = R"(
rules:
  - name: charge-new-bookings
    pattern:
      source: [aircraft.booking]
      detail-type: [BookingCreated]
      detail: {fare: {amount: [{numeric: [">", 0]}]}}
    targets:
      - service: payment
        retry: {max-attempts: 8, max-age: 1h, backoff: {initial: 200ms, factor: 2, max: 30s, jitter: full}}
        ordering: /detail/booking-id
        max-in-flight: 40
        rate-limit: 500
        batch-size: 10
      - topic: dashboard
  - name: all
    pattern: {"source": [{"prefix": "aircraft."}]}
    targets:
      - {service: audit, ack-timeout: 5s}
      - {topic: dashboard}
  - name: asleep
    enabled: false
    pattern: {source: [aircraft.booking]}
    targets: [{service: audit}]
)";

conga::Result<RuleSet> parse(const std::string& text) {
  const RuleFile file{.name = "rules.yaml", .text = text};
  return RuleSet::parse({&file, 1});
}

std::string fault(const std::string& text) {
  const auto rules = parse(text);
  return rules ? "accepted" : rules.error().what;
}

std::string event(const std::string& detail_type, const std::string& detail) {
  conga::Event made;
  conga::Random random(7);
  conga::UuidFactory ids(random);
  made.id = ids.make({});
  made.source = "aircraft.booking";
  made.detail_type = detail_type;
  made.detail = *conga::json_to_msgpack(detail);
  return conga::encode(made);
}

}  // namespace

TEST_CASE("rules are read with their targets and policies") {
  const auto rules = parse(kRules);
  REQUIRE_MESSAGE(rules.has_value(), rules.error().what);
  REQUIRE(rules->rules().size() == 3);
  REQUIRE(rules->targets().size() == 3);
  CHECK(rules->topics() == std::vector<std::string>{"dashboard"});
  const conga::bus::LinkTarget& payment = rules->targets()[0];
  CHECK(payment.rule == "charge-new-bookings");
  CHECK(payment.target == "payment");
  CHECK(payment.retry.max_attempts == 8);
  CHECK(payment.retry.max_age == std::chrono::hours(1));
  CHECK(payment.retry.backoff_initial == std::chrono::milliseconds(200));
  CHECK(payment.ordering == "/detail/booking-id");
  CHECK(payment.limits
        == conga::bus::DeliveryLimits{.max_in_flight = 40, .rate = 500, .batch = 10});
  CHECK(rules->targets()[1].retry.ack_timeout == std::chrono::seconds(5));
  CHECK(rules->rules()[2].line == 21);
}

TEST_CASE("an event is routed to the targets of every enabled rule that it matches") {
  const auto rules = parse(kRules);
  REQUIRE(rules.has_value());
  conga::bus::Routing routing;
  const std::string paid = event("BookingCreated", R"({"fare":{"amount":12.5}})");
  rules->match(*conga::read_event(paid), routing);
  CHECK(routing.rules == std::vector<std::uint32_t>{0, 1});
  CHECK(routing.targets == std::vector<std::uint32_t>{0, 1});
  CHECK(routing.topics == std::vector<std::uint32_t>{0});
  const std::string free = event("BookingCreated", R"({"fare":{"amount":0}})");
  rules->match(*conga::read_event(free), routing);
  CHECK(routing.rules == std::vector<std::uint32_t>{1});
  CHECK(routing.targets == std::vector<std::uint32_t>{1});
}

TEST_CASE("every fault of a rule file is told at once with its place") {
  const std::string what = fault(R"(rules:
  - name: one
    pattern: {source: [{prefx: a}]}
    targts: []
    targets:
      - service: payment
        retry: {max-attempts: 186, max-age: 10s}
  - name: one
    pattern: {a: []}
    targets: []
  - name: three
    pattern: {a: [1]}
    targets:
      - {service: a, topic: b}
      - {topic: b, retry: {max-attempts: 1}}
      - {service: c, deliver: at-most-once}
      - {service: d, ordering: detail, max-in-flight: 0, rate-limit: 100001, batch-size: 0}
      - {service: e}
      - {service: e}
      - {service: f, start: yesterday}
      - {topic: g, start: horizon}
)");
  CAPTURE(what);
  CHECK(what.find("rules.yaml:3:25: rule one: pattern at source[0]: unknown operator 'prefx'")
        != std::string::npos);
  CHECK(what.find("rules.yaml:4:5: rules[0].targts: unknown key, did you mean targets?")
        != std::string::npos);
  CHECK(what.find("max-attempts: expected an integer from 0 to 185") != std::string::npos);
  CHECK(what.find("max-in-flight: expected an integer from 1 to 1000000") != std::string::npos);
  CHECK(what.find("rate-limit: expected an integer from 1 to 100000") != std::string::npos);
  CHECK(what.find("batch-size: expected an integer from 1 to 10000") != std::string::npos);
  CHECK(what.find("max-age: expected a duration from 1m to 1d") != std::string::npos);
  CHECK(what.find("rules.yaml:8:11: name: a rule 'one' is already at rules.yaml:2:11")
        != std::string::npos);
  CHECK(what.find("targets: expected at least one target") != std::string::npos);
  CHECK(what.find("expected either service or topic") != std::string::npos);
  CHECK(what.find("retry: a topic is served at most once") != std::string::npos);
  CHECK(what.find("for at-most-once name a topic") != std::string::npos);
  CHECK(what.find("expected a JSON pointer") != std::string::npos);
  CHECK(what.find("the rule has a target 'e' already") != std::string::npos);
  CHECK(what.find("start: expected latest, horizon") != std::string::npos);
  CHECK(what.find("start: a topic is served at most once") != std::string::npos);
}

TEST_CASE("a target begins with the next event, with all of the journal, or at a time") {
  const auto rules = parse(R"(
rules:
  - name: one
    pattern: {a: [1]}
    targets:
      - {service: a}
      - {service: b, start: latest}
      - {service: c, start: horizon}
      - {service: d, start: 2026-11-23T06:00:00Z}
)");
  REQUIRE(rules);
  CHECK_FALSE(rules->targets()[0].start);
  CHECK_FALSE(rules->targets()[1].start);
  CHECK(rules->targets()[2].start == conga::bus::kHorizon);
  CHECK(rules->targets()[3].start == conga::parse_rfc3339("2026-11-23T06:00:00Z").value());
  const auto listing = conga::to_json(conga::Value::trusted(rules->listing()));
  CHECK(listing.find(R"("start":"horizon")") != std::string::npos);
  CHECK(listing.find(R"("start":"2026-11-23T06:00:00.000000Z")") != std::string::npos);
}

TEST_CASE("a rule without name, pattern or targets is refused") {
  const std::string what = fault("rules:\n  - {}\n");
  CHECK(what.find("rules[0].name: is missing") != std::string::npos);
  CHECK(what.find("rules[0].pattern: is missing") != std::string::npos);
  CHECK(what.find("rules[0].targets: is missing") != std::string::npos);
  CHECK(fault("").find("rules: is missing") != std::string::npos);
  CHECK(fault("rules: []") == "accepted");
}

TEST_CASE("names are unique across files") {
  const std::vector<RuleFile> files{
      {"one.yaml", "rules: [{name: a, pattern: {x: [1]}, targets: [{service: s}]}]"},
      {"two.yaml", "rules: [{name: a, pattern: {x: [1]}, targets: [{service: s}]}]"}};
  const auto rules = RuleSet::parse(files);
  REQUIRE_FALSE(rules.has_value());
  CHECK(rules.error().what == "two.yaml:1:16: name: a rule 'a' is already at one.yaml:1:16");
}

TEST_CASE("the listing is well formed and shows the pattern as written") {
  const auto rules = parse(kRules);
  REQUIRE(rules.has_value());
  const std::string listing = rules->listing();
  const auto value = conga::Value::parse(listing);
  REQUIRE(value.has_value());
  REQUIRE(value->size() == 3);
  const std::string json = conga::to_json(*value);
  CHECK(json.find(R"("pattern":{"source":[{"prefix":"aircraft."}]})") != std::string::npos);
  CHECK(json.find(R"({"topic":"dashboard","deliver":"at-most-once"})") != std::string::npos);
}

TEST_CASE("a file that is not there is refused by its name") {
  const std::vector<std::string> paths{"/nonexistent/rules.yaml"};
  const auto rules = RuleSet::load(paths);
  REQUIRE_FALSE(rules.has_value());
  CHECK(rules.error().what.find("/nonexistent/rules.yaml") != std::string::npos);
}

TEST_CASE("a replayed event goes to rules that say so, and to no others") {
  const std::vector<RuleFile> files{
      {.name = "rules.yaml",
       .text = "rules:\n"
               "  - {name: a, pattern: {source: [shop]}, targets: [{service: letters}]}\n"
               "  - {name: b, replay: true, pattern: {source: [shop]}, targets: [{service: "
               "books}]}\n"}};
  const auto rules = RuleSet::parse(files);
  REQUIRE(rules);
  conga::Event event;
  event.source = "shop";
  event.detail_type = "Placed";
  conga::bus::Routing routing;
  for (const char* name : {"", "fix"}) {
    event.replay_name = name;
    const std::string bytes = conga::encode(event);
    const auto view = conga::read_event(bytes);
    REQUIRE(view);
    rules->match(*view, routing);
    CHECK(routing.rules.size() == (event.replay_name.empty() ? 2 : 1));
    CHECK(rules->targets()[routing.targets.back()].service == "books");
  }
}

TEST_CASE("a replay may be for some rules and targets only, whatever these say of replays") {
  const auto rules = parse(R"(
rules:
  - {name: a, pattern: {source: [shop]}, targets: [{service: letters}, {service: audit}, {topic: t}]}
  - {name: b, replay: true, pattern: {source: [shop]}, targets: [{service: books}, {service: audit}]}
)");
  REQUIRE(rules);
  conga::bus::Routing routing;
  const auto targets = [&](const std::string& replay_to) {
    const auto bytes = conga::json_to_msgpack(
        R"({"id":"0193583f-5f4e-7c3a-9d0e-5f1f4b7d0a11","source":"shop","detail-type":"Placed",)"
        R"("detail":{},"replay-name":"fix","replay-to":)"
        + replay_to + "}");
    REQUIRE(bytes);
    const auto view = conga::read_event(*bytes);
    if (!view) return view.error().what;
    rules->match(*view, routing);
    std::string names = routing.topics.empty() ? "" : "t ";
    for (const std::uint32_t at : routing.targets) {
      names += rules->targets()[at].rule + "/" + rules->targets()[at].target + " ";
    }
    return names;
  };
  CHECK(targets(R"({"rules":["a"]})") == "t a/letters a/audit ");
  CHECK(targets(R"({"rules":["a"],"targets":["audit"]})") == "a/audit ");
  CHECK(targets(R"({"targets":["audit"]})") == "b/audit ");
  CHECK(targets(R"({"targets":["letters"]})").empty());
  CHECK(targets("{}") == "b/books b/audit ");
  CHECK(targets(R"(["a"])").find("replay-to") != std::string::npos);
}

TEST_CASE("expectations are read, and events that begin or meet them are marked") {
  const auto rules = parse(R"(
rules:
  - {name: a, pattern: {source: [nobody]}, targets: [{service: s}]}
expectations:
  - name: ticket-in-time
    after: {detail-type: [PaymentConfirmed]}
    expect: {detail-type: [TicketIssued, PaymentRefunded]}
    within: 30s
    by: booking-id
  - {name: told, after: TicketIssued, expect: NotificationSent, within: 1h}
)");
  REQUIRE(rules);
  const auto& expectations = rules->expectations();
  REQUIRE(expectations.size() == 2);
  CHECK(expectations[0].link.by == "/detail/booking-id");
  CHECK(expectations[0].link.within == std::chrono::seconds(30));
  CHECK(expectations[1].link.by == "/correlation-id");
  CHECK(expectations[1].line == 10);
  conga::bus::Routing routing;
  const auto marks = [&](const std::string& bytes) {
    rules->match(*conga::read_event(bytes), routing);
    CHECK(routing.rules.empty());
    return routing.expectations;
  };
  CHECK(marks(event("PaymentConfirmed", "{}")) == std::vector<std::uint32_t>{0});
  CHECK(marks(event("TicketIssued", "{}")) == std::vector<std::uint32_t>{1, 2});
  CHECK(marks(event("NotificationSent", "{}")) == std::vector<std::uint32_t>{3});
  conga::Event replayed = to_event(*conga::read_event(event("TicketIssued", "{}")));
  replayed.replay_name = "again";
  CHECK(marks(encode(replayed)).empty());
}

TEST_CASE("faults of expectations are told with their place") {
  CHECK(fault(R"(rules: []
expectations:
  - {name: x, after: A, expect: {detail-type: B}, within: 30s}
  - {name: x, after: A, expect: B, within: 30d, by: /a~}
  - {name: y, after: A}
)")
        == "rules.yaml:3:47: expectation x: expect: pattern at detail-type: expected an object or a "
           "list of conditions, found the text 'B'\n"
           "rules.yaml:4:12: name: an expectation 'x' is already at rules.yaml:3:12\n"
           "rules.yaml:4:44: expectations[1].within: expected a duration from 1ms to 7d such as "
           "200ms, 30s, 5m, 24h, got the text '30d'\n"
           "rules.yaml:4:53: expectation x: by: expected a key of detail, or a JSON pointer such as "
           "/detail/order-id\n"
           "rules.yaml:5:5: expectations[2].expect: is missing\n"
           "rules.yaml:5:5: expectations[2].within: is missing");
}

TEST_CASE("archives are read, and events that are for them are marked") {
  const auto rules = parse(R"(
rules:
  - {name: a, pattern: {source: [nobody]}, targets: [{service: s}]}
archives:
  - {name: everything}
  - name: payments
    description: for the auditors
    pattern: {detail-type: [PaymentConfirmed]}
    retention-age: 365d
    retention-size: 1GiB
)");
  REQUIRE(rules);
  const auto& archives = rules->archives();
  REQUIRE(archives.size() == 2);
  CHECK(archives[0].link.retention == conga::bus::ArchiveRetention{});
  CHECK(archives[1].link.retention.age == std::chrono::hours(24 * 365));
  CHECK(archives[1].link.retention.bytes == 1U << 30U);
  CHECK(archives[1].line == 6);
  conga::bus::Routing routing;
  const auto marks = [&](const std::string& bytes) {
    rules->match(*conga::read_event(bytes), routing);
    return routing.archives;
  };
  CHECK(marks(event("PaymentConfirmed", "{}")) == std::vector<std::uint32_t>{0, 1});
  CHECK(marks(event("TicketIssued", "{}")) == std::vector<std::uint32_t>{0});
  conga::Event replayed = to_event(*conga::read_event(event("TicketIssued", "{}")));
  replayed.replay_name = "again";
  CHECK(marks(encode(replayed)).empty());
}

TEST_CASE("faults of archives are told with their place") {
  CHECK(fault(R"(rules: []
archives:
  - {name: x, pattern: {detail-type: B}}
  - {name: x, retention-age: 5s}
  - {name: ..}
  - {retention: 5d}
)")
        == "rules.yaml:3:38: archive x: pattern at detail-type: expected an object or a list of "
           "conditions, found the text 'B'\n"
           "rules.yaml:4:12: name: an archive 'x' is already at rules.yaml:3:12\n"
           "rules.yaml:4:30: archives[1].retention-age: expected a duration from 1m to 3650d such as "
           "200ms, 30s, 5m, 24h, got the text '5s'\n"
           "rules.yaml:5:12: archive ..: name: must not begin with '.', for a folder has this name\n"
           "rules.yaml:6:5: archives[3].name: is missing\n"
           "rules.yaml:6:6: archives[3].retention: unknown key. Allowed: name, description, "
           "retention-age, retention-size, pattern");
}
