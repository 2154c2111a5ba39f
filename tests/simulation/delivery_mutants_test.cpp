// SPDX-License-Identifier: Apache-2.0
//
// Each mutant of delivery is caught by some seed: if one is not, it is the simulation that is
// broken. docs/simulation.md lists them.

#include "tests/simulation/delivery_mutants.h"

#include "tests/simulation/delivery_system.h"

#include <doctest/doctest.h>

#include <string>

using conga::simulation::delivery_mutants;
using conga::simulation::Mutation;
using conga::simulation::simulate_delivery;

namespace {

constexpr std::uint64_t kSeeds = 500;

/// The first seed that notices, and what it says; 0: none does.
std::pair<std::uint64_t, std::string> caught_by(const Mutation& mutant) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto report = simulate_delivery(seed, mutant);
    if (!report.violations.empty()) return {seed, report.violations.front()};
  }
  return {0, ""};
}

}  // namespace

TEST_CASE("every mutant of delivery is caught") {
  CHECK(delivery_mutants().size() >= 20);
  for (const Mutation& mutant : delivery_mutants()) {
    const auto [seed, what] = caught_by(mutant);
    CHECK_MESSAGE(seed != 0, mutant.name << " is not caught by any of " << kSeeds << " seeds");
    MESSAGE(mutant.name << " is caught by seed " << seed << ": " << what);
  }
}
