// SPDX-License-Identifier: Apache-2.0
//
// RecentIds: the ids of the events accepted lately, so that an event put again is stored once.
//
// An id is remembered for the window and among the newest `least`, whichever is longer, unless
// there are more than `most`: memory is bounded whatever the rate (20 bytes an id, and 16 to 32 to
// find it by).

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

  /// The same for an id that is not known, as contains() has just said.
  void add(const Uuid& id, SteadyTime when);

  bool contains(const Uuid& id) const;

  /// A hint that the id will be asked for soon, so that several may be fetched from memory at once.
  /// Always inlined, or GCC takes it for a function without effect and leaves the calls out.
  [[gnu::always_inline]] void prefetch(const Uuid& id) const {
    __builtin_prefetch(&places_[home_of(mark_of(id))], 1);
  }

  std::size_t size() const { return entries_.size(); }

private:
  struct Entry {
    Uuid id;
    std::int32_t second = 0;  ///< Since base_.
  };

  /// The low half of an id's hash, never 0. Two ids seldom have the same one.
  using Mark = std::uint32_t;

  struct Place {
    Mark mark = 0;             ///< 0: it is empty.
    std::uint32_t number = 0;  ///< Of the entry.
  };

  static Mark mark_of(const Uuid& id) { return static_cast<Mark>(id.hash()) | 1U; }

  std::size_t home_of(Mark mark) const { return mark >> shift_; }

  std::size_t after(std::size_t at) const { return (at + 1) & (places_.size() - 1); }

  std::size_t find(const Uuid& id) const;
  void put(const Place& place);
  void forget_oldest();
  void grow();

  RecentIdsOptions options_;
  std::deque<Entry> entries_;  ///< Oldest first.
  std::uint32_t first_ = 0;    ///< The number of the oldest entry; numbers wrap around.
  /// Open addressing with linear probing; a power of two. A place holds all that is needed to find
  /// one and to move it, so that an id costs one cache line and not its entry's too.
  std::vector<Place> places_;
  unsigned shift_;  ///< The top bits of a mark are its home, so that growing keeps the order.
  SteadyTime base_;
  bool has_base_ = false;
};

}  // namespace conga::bus
