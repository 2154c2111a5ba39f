// SPDX-License-Identifier: Apache-2.0

#include "cli/flow_map.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::Event;
using conga::Uuid;
using conga::WallTime;
using conga::bus::Arrow;
using conga::bus::Declaration;
using conga::bus::Ending;
using conga::bus::Sequence;
using conga::bus::TargetName;
using conga::cli::difference_of;
using conga::cli::FlowEdge;
using conga::cli::FlowMap;
using conga::cli::JournalEntry;

namespace {

using std::chrono::milliseconds;

const WallTime kStart{std::chrono::hours(490'000)};

const std::vector<Declaration> kServices{
    {.service = "orders", .source = "shop.orders", .consumes = {}, .emits = {"Placed"}},
    {.service = "billing", .source = "shop.billing", .consumes = {"Placed"}, .emits = {}}};

/// Feeds a map, and keeps the bytes that its records view while it reads them.
struct Day {
  void event(Sequence sequence, const std::string& type, std::vector<TargetName> targets) {
    Event event;
    event.id = Uuid::v5(Uuid(), std::to_string(sequence));
    event.source = "shop.orders";
    event.detail_type = type;
    const std::string bytes = conga::encode(event);
    JournalEntry entry;
    entry.type = conga::bus::kEventRecord;
    entry.event.sequence = sequence;
    entry.event.ingested = kStart + milliseconds(sequence);
    const auto view = conga::read_event(bytes);
    REQUIRE(view);
    entry.view = *view;
    entry.targets = std::move(targets);
    map.add(entry);
  }

  void ended(Sequence sequence, const TargetName& target, Ending ending, int after) {
    JournalEntry entry;
    entry.type = conga::bus::kSettledRecord;
    entry.settled.sequence = sequence;
    entry.settled.target = target;
    entry.settled.ending = ending;
    entry.settled.at = kStart + milliseconds(sequence) + milliseconds(after);
    map.add(entry);
  }

  void retried(Sequence sequence, const TargetName& target) {
    JournalEntry entry;
    entry.type = conga::bus::kRetryRecord;
    entry.retry.sequence = sequence;
    entry.retry.target = target;
    map.add(entry);
  }

  FlowMap map{kServices};
};

const TargetName kBilling{.rule = "bill", .target = "billing"};
const TargetName kAudit{.rule = "watch", .target = "audit"};

}  // namespace

TEST_CASE("an edge has its count, its times, and what did not go well") {
  Day day;
  for (Sequence each = 1; each <= 100; ++each) {
    day.event(each, "Placed", {kBilling});
    if (each < 99) day.ended(each, kBilling, Ending::Settled, static_cast<int>(each));
  }
  day.retried(98, kBilling);  // it has ended: not counted
  day.retried(99, kBilling);
  day.ended(99, kBilling, Ending::DeadLetter, 5);
  day.event(101, "Seen", {});
  const auto edges = day.map.edges(kStart + milliseconds(1100));
  REQUIRE(edges.size() == 1);
  const FlowEdge& edge = edges.front();
  CHECK(edge.from == "orders");
  CHECK(edge.to == "billing");
  CHECK(edge.count == 100);
  CHECK(edge.p50 == milliseconds(49));
  CHECK(edge.p99 == milliseconds(97));
  CHECK(edge.retries == 1);
  CHECK(edge.dead_letters == 1);
  CHECK(edge.pending == 1);
  CHECK(edge.oldest_pending == milliseconds(1000));
  CHECK(day.map.unmatched().at({"shop.orders", "Seen"}) == 1);
  CHECK(day.map.events() == 101);
  CHECK(day.map.period() == milliseconds(100));
}

TEST_CASE("what was before the time asked for is left out, with its endings") {
  Day day;
  day.map.set_since(kStart + milliseconds(50));
  for (Sequence each = 1; each <= 100; ++each) {
    day.event(each, "Placed", {kBilling});
    day.ended(each, kBilling, Ending::Settled, 1);
  }
  CHECK(day.map.edges(kStart).front().count == 51);
}

TEST_CASE("what happened is held against what is declared") {
  Day day;
  day.event(1, "Placed", {kBilling, kAudit});
  const std::vector<Arrow> declared{{.from = "orders",
                                     .detail_type = "Placed",
                                     .rule = "bill",
                                     .to = "billing",
                                     .target = "billing"},
                                    {.from = "orders",
                                     .detail_type = "Gone",
                                     .rule = "bill",
                                     .to = "billing",
                                     .target = "billing"},
                                    {.from = "orders",
                                     .detail_type = "Gone",
                                     .rule = "show",
                                     .to = "topic: x",
                                     .target = "topic: x"}};
  const auto difference = difference_of(day.map.edges(kStart), declared, kServices);
  REQUIRE(difference.unseen.size() == 1);
  CHECK(difference.unseen.front().detail_type == "Gone");
  REQUIRE(difference.undeclared.size() == 1);
  CHECK(difference.undeclared.front().target == "audit");
}
