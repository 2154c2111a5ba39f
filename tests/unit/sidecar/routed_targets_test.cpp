// SPDX-License-Identifier: Apache-2.0

#include "tests/unit/sidecar/sidecar_bench.h"

#include <cstdint>
#include <string>
#include <vector>

using namespace conga::bus::testing;
using conga::bus::LinkTarget;
using conga::bus::StoredEvent;
using conga::bus::TargetName;

namespace {

LinkTarget numbered(std::uint32_t number) {
  LinkTarget target;
  target.rule = "rule-" + std::to_string(number);
  target.target = "service";
  target.service = "service";
  return target;
}

std::vector<LinkTarget> numbered_from(std::uint32_t first, std::uint32_t count) {
  std::vector<LinkTarget> targets;
  for (std::uint32_t at = 0; at < count; ++at) targets.push_back(numbered(first + at));
  return targets;
}

}  // namespace

TEST_CASE("more combinations of targets than are remembered mean what each of them says, twice") {
  constexpr std::uint32_t kTargets = 13;
  SidecarBench bench;
  bench.table(numbered_from(0, kTargets));
  std::vector<std::vector<TargetName>> wanted;
  for (const int round : {1, 2}) {
    CAPTURE(round);
    for (std::uint32_t set = 0; set < 5000; ++set) {
      std::vector<std::uint32_t> positions;
      wanted.emplace_back();
      for (std::uint32_t at = 0; at < kTargets; ++at) {
        if ((set >> at & 1U) == 0) continue;
        positions.push_back(at);
        wanted.back().push_back({numbered(at).rule, "service"});
      }
      bench.route(bench.make_event(), positions);
    }
    REQUIRE(bench.turn());
  }
  const auto stored = bench.disk.all<StoredEvent>();
  REQUIRE(stored.size() == wanted.size());
  for (std::size_t at = 0; at < wanted.size(); ++at) REQUIRE(stored[at].targets == wanted[at]);
}

TEST_CASE("a position means what the table in force says") {
  SidecarBench bench;
  for (const std::uint32_t first : {10U, 20U}) {
    bench.table(numbered_from(first, 3));
    bench.route(bench.make_event(), {1});
    bench.route(bench.make_event(), {0, 2});
  }
  bench.table(numbered_from(30, 1));
  bench.route(bench.make_event(), {1});
  bench.route(bench.make_event(), {0, 2});
  REQUIRE(bench.turn());
  const auto stored = bench.disk.all<StoredEvent>();
  REQUIRE(stored.size() == 4);
  CHECK(stored[0].targets == std::vector<TargetName>{{"rule-11", "service"}});
  CHECK(stored[1].targets
        == std::vector<TargetName>{{"rule-10", "service"}, {"rule-12", "service"}});
  CHECK(stored[2].targets == std::vector<TargetName>{{"rule-21", "service"}});
  CHECK(stored[3].targets
        == std::vector<TargetName>{{"rule-20", "service"}, {"rule-22", "service"}});
}
