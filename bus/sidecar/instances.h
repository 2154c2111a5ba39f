// SPDX-License-Identifier: Apache-2.0
//
// Instances: which processes of a service are there, and how many more deliveries each will hold.

#pragma once

#include "common/core/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

/// One running process of a service, as its heartbeats tell it.
struct Instance {
  std::string name;
  std::uint32_t credit = 0;
  std::uint32_t in_flight = 0;
  SteadyTime last_heard;

  /// Credit may shrink below what is in flight.
  std::uint32_t free() const { return credit > in_flight ? credit - in_flight : 0; }
};

/// The instances of one service. There are few, so they are simply looked through.
class Instances {
public:
  /// A heartbeat: the instance is ready for `credit` deliveries in all.
  void on_ready(SteadyTime now, std::string_view name, std::uint32_t credit);

  /// The one with the most free credit, which spreads the work by how fast each takes it off;
  /// null: none has any. Valid until the next on_ready() or remove().
  Instance* most_free();

  Instance* find(std::string_view name);

  /// False: it was not known.
  bool remove(std::string_view name);

  /// The first one that has not been heard since `before`.
  const Instance* silent_since(SteadyTime before) const;

  /// When the one that has been silent longest was heard.
  std::optional<SteadyTime> longest_silent() const;

  const std::vector<Instance>& all() const { return all_; }

private:
  std::vector<Instance> all_;
};

}  // namespace conga::bus
