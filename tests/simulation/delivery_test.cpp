// SPDX-License-Identifier: Apache-2.0
//
// Bus and sidecar in the simulation: CONGA_SIM_SEEDS says how many seeds, CONGA_SIM_SEED which one
// alone. docs/simulation.md tells more.

#include "tests/simulation/delivery_system.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using conga::simulation::DeliveryReport;
using conga::simulation::simulate_delivery;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string text_of(std::uint64_t seed, const DeliveryReport& report) {
  std::string text = "CONGA_SIM_SEED=" + std::to_string(seed);
  for (const std::string& violation : report.violations) text += "\n  " + violation;
  return text;
}

}  // namespace

TEST_CASE("every delivery ends, in order, once promised, under every fault") {
  const std::uint64_t only = number_from("CONGA_SIM_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : number_from("CONGA_SIM_SEEDS", 2000);
  std::uint64_t bad = 0;
  std::uint64_t deaths = 0;
  std::size_t settled = 0;
  std::size_t dead_letters = 0;
  for (std::uint64_t seed = first; seed <= last && bad < 5; ++seed) {
    const DeliveryReport report = simulate_delivery(seed);
    deaths += report.deaths;
    settled += report.settled;
    dead_letters += report.dead_letters;
    if (report.violations.empty()) continue;
    ++bad;
    FAIL_CHECK(text_of(seed, report));
  }
  const std::uint64_t seeds = last - first + 1;
  MESSAGE(seeds,
          " seeds: ",
          settled,
          " deliveries settled, ",
          dead_letters,
          " dead letters, ",
          deaths,
          " deaths");
  if (only == 0) {
    CHECK(settled > 0);
    CHECK(dead_letters > 0);
  }
}

TEST_CASE("a seed of deliveries replays exactly") {
  for (const std::uint64_t seed : {7U, 8U, 9U}) {
    CHECK(simulate_delivery(seed).fingerprint == simulate_delivery(seed).fingerprint);
  }
}
