// SPDX-License-Identifier: Apache-2.0
//
// The flight booking system in the simulation: CONGA_SIM_SEEDS says how many seeds, CONGA_SIM_SEED
// which one alone, CONGA_SIM_BOOKINGS how many requests each has. docs/simulation.md tells more.

#include "tests/simulation/booking_system.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using conga::simulation::Mutant;
using conga::simulation::Report;
using conga::simulation::simulate;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string text_of(std::uint64_t seed, const Report& report) {
  std::string text = "CONGA_SIM_SEED=" + std::to_string(seed);
  for (const std::string& violation : report.violations) text += "\n  " + violation;
  return text;
}

}  // namespace

TEST_CASE("bookings end well under every fault") {
  const std::uint64_t only = number_from("CONGA_SIM_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : number_from("CONGA_SIM_SEEDS", 1000);
  const std::uint64_t seeds = last - first + 1;
  const std::uint64_t requests = number_from("CONGA_SIM_BOOKINGS", 0);
  std::uint64_t bad = 0;
  std::uint64_t deaths = 0;
  std::size_t confirmed = 0;
  std::size_t cancelled = 0;
  std::size_t expired = 0;
  std::size_t dead_letters = 0;
  for (std::uint64_t seed = first; seed <= last && bad < 5; ++seed) {
    const Report report = simulate(seed, Mutant::None, requests);
    deaths += report.deaths;
    confirmed += report.confirmed;
    cancelled += report.cancelled;
    expired += report.expired;
    dead_letters += report.dead_letters;
    if (report.violations.empty()) continue;
    ++bad;
    FAIL_CHECK(text_of(seed, report));
  }
  MESSAGE(seeds,
          " seeds: ",
          confirmed,
          " bookings confirmed, ",
          cancelled,
          " cancelled, ",
          expired,
          " expired, ",
          dead_letters,
          " dead letters, ",
          deaths,
          " deaths");
  if (only == 0) {
    CHECK(confirmed > 0);
    CHECK(cancelled > 0);
    CHECK(expired > 0);
    CHECK(dead_letters > 0);
  }
}

TEST_CASE("a seed replays exactly") {
  for (const std::uint64_t seed : {7U, 8U, 9U}) {
    CHECK(simulate(seed).fingerprint == simulate(seed).fingerprint);
  }
  CHECK(simulate(7).fingerprint != simulate(8).fingerprint);
}
