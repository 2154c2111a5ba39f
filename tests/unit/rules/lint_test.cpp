// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/lint.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::bus::Declaration;
using conga::bus::lint;
using conga::bus::LintFinding;
using conga::bus::read_declaration;
using conga::bus::RuleFile;
using conga::bus::RuleSet;

namespace {

const std::vector<Declaration> kServices{
    {.service = "orders", .source = "shop.orders", .consumes = {"Clicked"}, .emits = {"Placed"}},
    {.service = "billing", .source = "shop.billing", .consumes = {"Placed"}, .emits = {}}};

const std::string kClean =
    "  - {name: click, pattern: {detail-type: [Clicked]}, targets: [{service: orders}]}\n"
    "  - {name: bill, pattern: {source: [shop.orders]}, targets: [{service: billing}]}\n";

/// `LEVEL CODE LINE`, one after the other.
std::string found(const std::string& text, const std::vector<Declaration>& services = kServices) {
  const std::vector<RuleFile> files{{.name = "rules.yaml", .text = "rules:\n" + text}};
  const auto rules = RuleSet::parse(files);
  REQUIRE(rules);
  std::string told;
  for (const LintFinding& finding : lint(*rules, services)) {
    CHECK_FALSE(finding.what.empty());
    CHECK_FALSE(finding.remedy.empty());
    told += (told.empty() ? "" : ", ")
            + std::string(finding.level == LintFinding::Level::Error ? "error " : "note ")
            + std::string(finding.code) + " " + std::to_string(finding.line);
  }
  return told;
}

}  // namespace

TEST_CASE("rules that fit their services have no finding") {
  CHECK(found(kClean).empty());
}

TEST_CASE("a rule that no declared event can match is an error, a disabled one is not") {
  const std::string typo =
      "  - {name: typo, pattern: {source: [shop.oders], detail-type: [Placed]}, targets: "
      "[{service: billing}]}\n";
  CHECK(found(kClean + typo) == "error never-matches 4");
  const std::string asleep =
      "  - {name: typo, enabled: false, pattern: {source: [shop.oders]}, targets: [{service: "
      "billing}]}\n";
  CHECK(found(kClean + asleep).empty());
}

TEST_CASE("what is sent to who does not consume it would be a dead letter") {
  const std::string wrong =
      "  - {name: wrong, pattern: {detail-type: [Placed]}, targets: [{service: orders}]}\n";
  CHECK(found(kClean + wrong) == "error not-consumed 4");
}

TEST_CASE("a consumer that nobody feeds is an error, an event that nobody hears a note") {
  const std::string only =
      "  - {name: click, pattern: {detail-type: [Clicked]}, targets: [{service: orders}]}\n";
  CHECK(found(only) == "error not-fed 0, note nobody-listens 0");
}

TEST_CASE("a target without a manifest is a note") {
  const std::string more =
      "  - {name: audit, pattern: {source: [shop.orders]}, targets: [{service: audit}]}\n";
  CHECK(found(kClean + more) == "note unknown-service 4");
}

TEST_CASE("equal rules are an error, and rules that overlap a note") {
  const std::string equal =
      "  - {name: again, pattern: {source: [shop.orders]}, targets: [{service: billing}]}\n";
  CHECK(found(kClean + equal) == "error equal-rules 4");
  const std::string overlap =
      "  - {name: more, pattern: {detail-type: [Placed]}, targets: [{service: billing}]}\n";
  CHECK(found(kClean + overlap) == "note delivered-twice 4");
}

TEST_CASE("findings about a service name the line of its manifest") {
  auto orders = read_declaration(
      "{\"service\": \"orders\", \"source\": \"shop.orders\",\n"
      " \"consumes\": [\n  {\"detail-type\": \"Clicked\"}\n ],\n"
      " \"emits\": [\n  {\"detail-type\": \"Placed\"}\n ]}");
  REQUIRE(orders);
  CHECK(found("  - {name: x, pattern: {source: [{prefix: s}]}, targets: [{topic: t}]}\n", {*orders})
        == "error not-fed 3");
}

namespace {

/// Three services that form a ring: a → b → c → a, by the rules of kRing.
std::vector<Declaration> ring() {
  return {{.service = "a", .source = "s.a", .consumes = {"C"}, .emits = {"A"}},
          {.service = "b", .source = "s.b", .consumes = {"A"}, .emits = {"B"}},
          {.service = "c", .source = "s.c", .consumes = {"B"}, .emits = {"C"}}};
}

const std::string kRing =
    "  - {name: ab, pattern: {detail-type: [A]}, targets: [{service: b}]}\n"
    "  - {name: bc, pattern: {detail-type: [B]}, targets: [{service: c}]}\n"
    "  - {name: ca, pattern: {detail-type: [C]}, targets: [{service: a}]}\n";

std::string first_words(const std::string& text, const std::vector<Declaration>& services) {
  const std::vector<RuleFile> files{{.name = "rules.yaml", .text = "rules:\n" + text}};
  const auto rules = RuleSet::parse(files);
  REQUIRE(rules);
  const auto findings = lint(*rules, services);
  return findings.empty() ? "" : findings.front().what + "; " + findings.front().remedy;
}

}  // namespace

TEST_CASE("a loop is found once, with the way it goes") {
  CHECK(found(kRing, ring()) == "error loop 0");
  CHECK(first_words(kRing, ring())
            .starts_with("an event can cause itself: A of a → b (rule ab) → B → c (rule bc) → C → "
                         "a (rule ca) → A; leave one"));
}

TEST_CASE("there is no loop past an event that comes once, or that does not follow") {
  std::vector<Declaration> once = ring();
  once[1].emissions = {{.once = true}};
  CHECK(found(kRing, once).empty());
  std::vector<Declaration> other = ring();
  other[2].consumes.emplace_back("D");
  other[2].emissions = {{.after = std::vector<std::string>{"D"}}};
  CHECK(found(kRing, other) == "error not-fed 0");
  CHECK(found("  - {name: ab, pattern: {detail-type: [A]}, targets: [{service: b}]}\n"
              "  - {name: bc, pattern: {detail-type: [B]}, targets: [{service: c}]}\n",
              ring())
            .find("loop")
        == std::string::npos);
}

TEST_CASE("a service whose own event comes back to it is a loop too") {
  const std::vector<Declaration> self{
      {.service = "a", .source = "s.a", .consumes = {"A"}, .emits = {"A"}}};
  CHECK(first_words("  - {name: aa, pattern: {detail-type: [A]}, targets: [{service: a}]}\n", self)
            .starts_with("an event can cause itself: A of a → a (rule aa) → A; "));
}

TEST_CASE("after a failure what was done must be undone, or that is told with the chain") {
  std::vector<Declaration> services{
      {.service = "pay",
       .source = "s.pay",
       .consumes = {"Order", "NoSeat"},
       .emits = {"Paid", "Refunded"}},
      {.service = "seat", .source = "s.seat", .consumes = {"Paid"}, .emits = {"Seat", "NoSeat"}}};
  services[0].emissions = {{.after = std::vector<std::string>{"Order"}, .undone_by = "Refunded"},
                           {.after = std::vector<std::string>{"NoSeat"}}};
  services[1].emissions = {{.undone_by = ""}, {.failure = true}};
  const std::string forward =
      "  - {name: order, pattern: {detail-type: [Order]}, targets: [{service: pay}]}\n"
      "  - {name: paid, pattern: {detail-type: [Paid]}, targets: [{service: seat}]}\n"
      "  - {name: ends, pattern: {detail-type: [Seat, Refunded]}, targets: [{topic: t}]}\n";
  const std::string back =
      "  - {name: refund, pattern: {detail-type: [NoSeat]}, targets: [{service: pay}]}\n";
  CHECK(found(forward + back, services).empty());
  CHECK(found(forward, services) == "error not-fed 0, error not-undone 0, note nobody-listens 0");
  const std::vector<RuleFile> files{{.name = "rules.yaml", .text = "rules:\n" + forward}};
  const auto findings = lint(*RuleSet::parse(files), services);
  REQUIRE(findings.size() == 3);
  CHECK(findings[1].what
        == "Paid is to be undone by Refunded, and nothing leads to that from NoSeat: Paid of pay → "
           "seat (rule paid) → NoSeat");
  CHECK(findings[1].remedy == "let a rule send NoSeat to pay");
}

TEST_CASE("what an emitted event follows from is read from the manifest") {
  const auto declaration = read_declaration(R"({"service":"pay","source":"s","consumes":[],"emits":[
      {"detail-type":"Paid","after":["Order"],"undone-by":"Refunded"},
      {"detail-type":"Failed","failure":true},{"detail-type":"Refunded","once":true}]})");
  REQUIRE(declaration);
  const auto& emissions = declaration->emissions;
  REQUIRE(emissions.size() == 3);
  CHECK(*emissions[0].after == std::vector<std::string>{"Order"});
  CHECK(emissions[0].undone_by == "Refunded");
  CHECK_FALSE(emissions[1].after);
  CHECK(emissions[1].failure);
  CHECK(emissions[2].once);
}
