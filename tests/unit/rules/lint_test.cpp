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
