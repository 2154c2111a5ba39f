// SPDX-License-Identifier: Apache-2.0
//
// Causality: which event can lead to which, by way of the rules and of what services say they emit
// after what. The graph in which loops and missing compensations are found.

#pragma once

#include "bus/rules/choreography.h"

#include <cstddef>
#include <string>
#include <vector>

namespace conga::bus {

class Causality {
public:
  /// Both must outlive it.
  Causality(const std::vector<Declaration>& declarations, const std::vector<Arrow>& arrows);

  /// An event that a declared service emits.
  struct Happening {
    const Declaration* service = nullptr;
    std::size_t at = 0;  ///< In its `emits`.

    const std::string& type() const { return service->emits[at]; }

    /// What its manifest says of it.
    Emission emission() const;
  };

  const std::vector<Happening>& happenings() const { return happenings_; }

  /// From one to another, each step by a rule; empty: none leads there. A path from an event to
  /// itself has a step at least. `past_once`: events that are emitted once in a flow may be on it.
  std::vector<std::size_t> path(std::size_t from, std::size_t to, bool past_once) const;

  /// `Paid of payment → seating (rule seat) → NoSeat`.
  std::string tell(const std::vector<std::size_t>& path) const;

private:
  struct Step {
    std::size_t to = 0;
    std::string rule;
  };

  const Step* step_between(std::size_t from, std::size_t to) const;

  std::vector<Happening> happenings_;
  std::vector<std::vector<Step>> steps_;  ///< By happening.
};

}  // namespace conga::bus
