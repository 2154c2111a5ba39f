// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/rules_diff.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::Event;
using conga::Uuid;
using conga::bus::RuleFile;
using conga::bus::RulesDiff;
using conga::bus::RuleSet;

namespace {

RuleSet rules(const std::string& text) {
  const std::vector<RuleFile> files{{.name = "rules.yaml", .text = "rules:\n" + text}};
  auto parsed = RuleSet::parse(files);
  REQUIRE(parsed);
  return std::move(*parsed);
}

void add(RulesDiff& diff, const std::string& type, int count) {
  for (int each = 0; each < count; ++each) {
    Event event;
    event.id = Uuid::v5(Uuid(), type + std::to_string(each));
    event.source = "shop";
    event.detail_type = type;
    const std::string bytes = conga::encode(event);
    const auto view = conga::read_event(bytes);
    REQUIRE(view);
    diff.add(*view);
  }
}

const std::string kBefore =
    "  - {name: orders, pattern: {detail-type: [Placed]}, targets: [{service: billing}]}\n"
    "  - {name: all, pattern: {source: [shop]}, targets: [{service: audit}, {topic: board}]}\n";

}  // namespace

TEST_CASE("the same rules, in whatever order, change nothing") {
  const RuleSet before = rules(kBefore);
  const RuleSet after = rules(
      "  - {name: all, pattern: {source: [shop]}, targets: [{topic: board}, {service: audit}]}\n"
      "  - {name: orders, pattern: {detail-type: [Placed]}, targets: [{service: billing}]}\n");
  RulesDiff diff(before, after);
  add(diff, "Placed", 5);
  add(diff, "Paid", 2);
  CHECK(diff.events() == 7);
  CHECK(diff.unchanged() == 5 * 3 + 2 * 2);
  CHECK(diff.changes().empty());
}

TEST_CASE("deliveries are gained, lost, and sent elsewhere, each with examples") {
  const RuleSet before = rules(kBefore);
  const RuleSet after = rules(
      "  - {name: orders, pattern: {detail-type: [Placed]}, targets: [{service: billing-2}]}\n"
      "  - {name: all, pattern: {source: [shop], detail-type: [{prefix: Pl}]},"
      " targets: [{service: audit}, {topic: board}]}\n"
      "  - {name: new, pattern: {detail-type: [Paid]}, targets: [{service: thanks}]}\n");
  RulesDiff diff(before, after);
  add(diff, "Placed", 5);
  add(diff, "Paid", 2);
  const auto changes = diff.changes();
  REQUIRE(changes.size() == 5);
  CHECK(changes[0].rule == "all");
  CHECK(changes[0].target == "audit");
  CHECK(changes[0].lost == 2);
  CHECK(changes[0].retargeted == 0);
  CHECK(changes[1].target == "topic: board");
  CHECK(changes[2].rule == "new");
  CHECK(changes[2].gained == 2);
  CHECK(changes[2].examples.size() == 2);
  CHECK(changes[2].examples.front().detail_type == "Paid");
  CHECK(changes[3].target == "billing");
  CHECK(changes[3].lost == 5);
  CHECK(changes[3].retargeted == 5);
  CHECK(changes[3].examples.size() == RulesDiff::kExamples);
  CHECK(changes[4].target == "billing-2");
  CHECK(changes[4].gained == 5);
  CHECK(diff.unchanged() == 5 * 2);
}
