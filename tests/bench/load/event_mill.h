// SPDX-License-Identifier: Apache-2.0
//
// EventMill: events for conga under load. They differ in id, kind and the time of putting, and are
// made by copying and patching one, so that making them takes little of what is measured.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/random.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace conga::bench {

class EventMill {
public:
  /// Events of `size` bytes, which take turns in carrying `kinds` kinds, kind-00000 and so on; at
  /// most 100 000. `random` must outlive it.
  EventMill(std::size_t kinds, std::size_t size, Random& random);

  /// An event that is put at `now`, in steady nanoseconds.
  std::pair<Uuid, std::string> next(WallTime wall, std::uint64_t now);

  /// When it was put: its last eight bytes.
  static std::uint64_t sent(std::string_view event);

private:
  static std::string form(std::size_t size);
  static std::string attempt(std::size_t pad);
  void count_up();

  UuidFactory ids_;
  std::size_t kinds_;
  std::string form_;  ///< Of the kind whose turn it is.
  std::size_t id_at_ = 0;
  std::size_t kind_at_ = 0;  ///< Its digits.
  std::size_t kind_ = 0;
};

}  // namespace conga::bench
