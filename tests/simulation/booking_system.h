// SPDX-License-Identifier: Apache-2.0
//
// simulate: the whole flight booking system, forwarder, sidecar, five services and customers, for
// one seed: a storm of faults while bookings come in, then calm weather until everything is done,
// then the invariants of docs/simulation.md.

#pragma once

#include "common/core/clock.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::simulation {

/// A rule broken on purpose, to see that the invariants notice.
enum class Mutant : std::uint8_t {
  None,
  AckBeforeSync,       ///< The sidecar answers ok for what is not on disk.
  NoInbox,             ///< Services forget which events they have dealt with.
  NoResend,            ///< Services put each event once, whatever is answered.
  CreditIgnored,       ///< The sidecar takes every instance's credit for boundless.
  SettleBeforeCommit,  ///< Services settle before they have done the work.
};

struct Report {
  std::vector<std::string> violations;  ///< None: all is well.
  std::uint64_t fingerprint = 0;
  std::uint64_t turns = 0;
  std::uint64_t deaths = 0;
  std::size_t confirmed = 0;
  std::size_t cancelled = 0;
  std::size_t expired = 0;
  std::size_t dead_letters = 0;
  Duration time{};  ///< Of the virtual clock.
};

/// `requests`: how many the customers make; 0: a handful, as the seed decides.
Report simulate(std::uint64_t seed, Mutant mutant = Mutant::None, std::size_t requests = 0);

}  // namespace conga::simulation
