// SPDX-License-Identifier: Apache-2.0
//
// Flights: the deliveries that instances work on, found by id, and those of each target in the
// order in which they were sent.

#pragma once

#include "bus/sidecar/target_queue.h"
#include "common/core/clock.h"
#include "common/wire/messages.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <tsl/robin_map.h>
#include <vector>

namespace conga::bus {

struct Flight {
  DeliveryId id = 0;
  Pending pending;
  std::uint32_t target = 0;
  std::uint32_t service = 0;
  std::string instance;
  SteadyTime sent;
  WallTime sent_wall;
};

class Flights {
public:
  /// Its id must be new. Valid until it is taken out.
  const Flight& add(Flight flight);

  /// Null: it is not in flight.
  const Flight* find(DeliveryId id) const;

  /// The flight of that id, which must be there, out of flight.
  Flight take(DeliveryId id);

  /// Of one target: how many, and the one that was sent first; null: there is none.
  std::size_t count_of(std::uint32_t target) const;
  const Flight* first_of(std::uint32_t target) const;

  template <class Visit>
  void for_each_of(std::uint32_t target, Visit visit) {
    if (target >= lines_.size()) return;
    for (Slot at = lines_[target].first; at != kNone; at = slots_[at].next) {
      visit(slots_[at].flight);
    }
  }

  /// Of one instance, in the order of their ids.
  std::vector<DeliveryId> with(std::uint32_t service, std::string_view instance) const;

  std::size_t size() const { return index_.size(); }

private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = ~Slot{0};

  struct Place {
    Flight flight;
    Slot previous = kNone;  ///< Of its target; so the next.
    Slot next = kNone;
  };

  struct Line {
    Slot first = kNone;
    Slot last = kNone;
    std::uint32_t size = 0;
  };

  Slot free_slot();

  std::deque<Place> slots_;  ///< Used again, and never moved.
  std::vector<Slot> free_;
  std::vector<Line> lines_;  ///< By target.
  tsl::robin_map<DeliveryId, Slot> index_;
};

}  // namespace conga::bus
