// SPDX-License-Identifier: Apache-2.0

#include "cli/suggestions.h"

#include "bus/sidecar/journal_format.h"

#include <doctest/doctest.h>

#include <string>

using conga::Event;
using conga::Uuid;
using conga::WallTime;
using conga::cli::JournalEntry;
using conga::cli::Suggestions;

namespace {

using std::chrono::milliseconds;

const WallTime kStart{std::chrono::hours(490'000)};

struct Day {
  /// An event of flow `flow` after so many milliseconds; its id, for its effects.
  Uuid event(int flow, const std::string& type, int after, const Uuid& cause = {}) {
    Event event;
    event.id = Uuid::v5(cause, type + std::to_string(flow));
    event.source = "shop";
    event.detail_type = type;
    event.correlation_id = "B" + std::to_string(flow);
    if (cause != Uuid{}) event.causation_id = cause;
    const std::string bytes = conga::encode(event);
    JournalEntry entry;
    entry.type = conga::bus::kEventRecord;
    entry.event.ingested = kStart + std::chrono::seconds(flow) + milliseconds(after);
    const auto view = conga::read_event(bytes);
    REQUIRE(view);
    entry.view = *view;
    suggestions.add(entry);
    return event.id;
  }

  Suggestions suggestions;
};

}  // namespace

TEST_CASE("what is followed nearly always, however indirectly, is suggested") {
  Day day;
  for (int flow = 0; flow < 100; ++flow) {
    const Uuid placed = day.event(flow, "Placed", 0);
    const Uuid paid = day.event(flow, "Paid", 40, placed);
    if (flow != 7) day.event(flow, "Shipped", flow == 50 ? 900 : 100, paid);
    if (flow % 2 == 0) day.event(flow, "Thanked", 200, paid);
  }
  const auto list = day.suggestions.list();
  REQUIRE(list.size() == 3);
  CHECK(list[0].after.second == "Placed");
  CHECK(list[0].expect.second == "Paid");
  CHECK(list[1].expect.second == "Shipped");
  CHECK(list[1].count == 100);
  CHECK(list[1].followed == 99);
  CHECK(list[1].slowest == milliseconds(900));
  CHECK(list[1].within == std::chrono::seconds(2));
  CHECK(to_yaml(list).find(R"(  # 99 of 100, the slowest after 900 ms
  - name: Placed-to-Shipped
    after: {source: ["shop"], detail-type: ["Placed"]}
    expect: {source: ["shop"], detail-type: ["Shipped"]}
    within: 2s
    by: /correlation-id
)") != std::string::npos);
}

TEST_CASE("too few are no pattern, and a redriven event counts once") {
  Day day;
  for (int flow = 0; flow < 19; ++flow) {
    for (int again = 0; again < 2; ++again) {
      const Uuid placed = day.event(flow, "Placed", 0);
      day.event(flow, "Paid", 40, placed);
    }
  }
  CHECK(day.suggestions.list().empty());
}
