// SPDX-License-Identifier: Apache-2.0
//
// RecentIds: the ids of the events accepted lately, so that an event put again is stored once.
//
// An id is remembered for the window and among the newest `least`, whichever is longer, unless
// there are more than `most`: memory is bounded (28 bytes an id) whatever the rate.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace conga::bus {

struct RecentIdsOptions {
  Duration window = std::chrono::minutes(10);
  std::size_t least = 1'000'000;
  std::size_t most = 8'000'000;  ///< At least `least`.
};

class RecentIds {
public:
  explicit RecentIds(RecentIdsOptions options);

  /// False: the id is known. Otherwise it is now, as of `when`, which should not go back much.
  bool insert(const Uuid& id, SteadyTime when);

  bool contains(const Uuid& id) const;

  /// A hint that the id will be asked for soon, so that several may be fetched from memory at once.
  void prefetch(const Uuid& id) const { __builtin_prefetch(&slots_[home_of(id)]); }

  std::size_t size() const { return entries_.size(); }

private:
  struct Entry {
    Uuid id;
    std::int32_t second = 0;  ///< Since base_.
  };

  /// An entry's number with the top bit set; 0: empty.
  using Slot = std::uint32_t;

  std::size_t home_of(const Uuid& id) const;
  std::size_t find_slot(const Uuid& id) const;
  const Entry& entry_in(std::size_t place) const;
  void place(const Uuid& id, Slot slot);
  void forget_oldest();
  void grow();

  RecentIdsOptions options_;
  std::deque<Entry> entries_;  ///< Oldest first.
  std::uint32_t first_ = 0;    ///< The number of the oldest entry; numbers wrap around.
  std::vector<Slot> slots_;    ///< Open addressing with linear probing; a power of two.
  SteadyTime base_;
  bool has_base_ = false;
};

}  // namespace conga::bus
