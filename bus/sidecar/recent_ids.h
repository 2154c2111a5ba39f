// SPDX-License-Identifier: Apache-2.0
//
// RecentIds: the ids of the events accepted lately, so that an event put again is stored once.
//
// An id is remembered for the window and among the newest `least`, whichever is longer, unless
// there are more than `most`: memory is bounded whatever the rate (20 bytes an id, and 10 to 40 to
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

  bool contains(const Uuid& id) const;

  /// A hint that the id will be asked for soon, so that several may be fetched from memory at once.
  void prefetch(const Uuid& id) const {
    const std::size_t place = place_of(id.hash());
    __builtin_prefetch(&tags_[place]);
    __builtin_prefetch(&numbers_[place], 1);
  }

  std::size_t size() const { return entries_.size(); }

private:
  struct Entry {
    Uuid id;
    std::int32_t second = 0;  ///< Since base_.
  };

  /// Some bits of an id's hash, never 0; 0: the place is empty.
  using Tag = std::uint8_t;

  static Tag tag_of(std::uint64_t hash);
  std::size_t place_of(std::uint64_t hash) const;
  std::size_t find(const Uuid& id) const;
  const Entry& entry_at(std::size_t place) const;
  void put(std::uint64_t hash, std::uint32_t number);
  void forget_oldest();
  void grow();

  RecentIdsOptions options_;
  std::deque<Entry> entries_;  ///< Oldest first.
  std::uint32_t first_ = 0;    ///< The number of the oldest entry; numbers wrap around.
  /// Open addressing with linear probing; a power of two. What is looked for most often is an id
  /// that is not there, and the tags say so from one cache line.
  std::vector<Tag> tags_;
  std::vector<std::uint32_t> numbers_;  ///< Of the entries.
  SteadyTime base_;
  bool has_base_ = false;
};

}  // namespace conga::bus
