// SPDX-License-Identifier: Apache-2.0
//
// simulate_delivery: bus and sidecar alone, with publishers, consumers and an operator who do
// whatever clients may do, for one seed: rules that order, limit and change, a storm of faults,
// then calm weather until everything has ended, then the invariants of docs/simulation.md.

#pragma once

#include "tests/simulation/delivery_mutants.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::simulation {

struct DeliveryReport {
  std::vector<std::string> violations;  ///< None: all is well.
  std::uint64_t fingerprint = 0;
  std::uint64_t deaths = 0;
  std::size_t settled = 0;
  std::size_t dead_letters = 0;
  std::size_t redriven = 0;
};

/// `mutant` breaks a rule on purpose.
DeliveryReport simulate_delivery(std::uint64_t seed, const Mutation& mutant = {});

}  // namespace conga::simulation
