// SPDX-License-Identifier: Apache-2.0
//
// Each rule that the guarantees rest on, broken on purpose: if the simulation does not notice, it
// is the simulation that is broken.

#include "tests/simulation/booking_system.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using conga::simulation::Mutant;
using conga::simulation::simulate;

namespace {

constexpr std::uint64_t kSeeds = 200;

void check_caught(Mutant mutant, const std::string& rule) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto report = simulate(seed, mutant);
    if (report.violations.empty()) continue;
    MESSAGE(rule, " is caught by seed ", seed, ": ", report.violations.front());
    return;
  }
  FAIL(rule, " is not caught by any of ", kSeeds, " seeds");
}

}  // namespace

TEST_CASE("a sidecar that answers before the sync is caught") {
  check_caught(Mutant::AckBeforeSync, "ack before sync");
}

TEST_CASE("a service without an inbox is caught") {
  check_caught(Mutant::NoInbox, "no inbox");
}

TEST_CASE("an outbox that does not put again is caught") {
  check_caught(Mutant::NoResend, "no outbox resend");
}

TEST_CASE("a sidecar that ignores credit is caught") {
  check_caught(Mutant::CreditIgnored, "credit ignored");
}

TEST_CASE("a service that settles before its commit is caught") {
  check_caught(Mutant::SettleBeforeCommit, "settled before commit");
}
