// SPDX-License-Identifier: Apache-2.0
//
// RoutedTargets: what the target positions of a `link/routed` mean by the table in force. The
// events of a type have the same positions, so each combination is worked out once.

#pragma once

#include "bus/sidecar/archives.h"
#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/expectations.h"

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace conga::bus {

class RoutedTargets {
public:
  struct Meaning {
    bool known = true;  ///< False: one of the positions is none of the table.
    std::vector<TargetId> targets;
    OwedTargets owed;  ///< The targets, and what the journal owes to the archives.
    std::vector<Expectations::Mark> marks;
    std::vector<std::uint32_t> archives;
  };

  /// All must outlive it.
  RoutedTargets(const DeliveryEngine& engine,
                const Expectations& expectations,
                const Archives& archives)
      : engine_(engine), expectations_(expectations), archives_(archives) {}

  /// Valid until the next call.
  Meaning& of(std::span<const std::uint32_t> positions);

  /// The table is another one.
  void forget();

private:
  Meaning* known_of(std::span<const std::uint32_t> positions);
  Meaning work_out(std::span<const std::uint32_t> positions) const;

  const DeliveryEngine& engine_;
  const Expectations& expectations_;
  const Archives& archives_;
  std::unordered_map<std::u32string, Meaning> known_;  ///< By positions; never moved.
  std::vector<Meaning*> alone_;  ///< Those of one position, by it: most often asked for.
  std::u32string key_;           ///< Kept for its memory.
};

}  // namespace conga::bus
