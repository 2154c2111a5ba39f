// SPDX-License-Identifier: Apache-2.0
//
// Mischief: decides what a test run does to a delivery: hold it back, send it twice, lose its
// acknowledgement. A decision depends on the seed and on what the delivery is about (its service,
// rule, event type, flow and attempt), not on when it comes or on ids that differ from run to run:
// the same seed does the same to the same business event. Deliveries alike in all of it, as of two
// events of one type in a flow, are told apart by their order.

#pragma once

#include "common/core/clock.h"
#include "common/wire/event/event.h"
#include "common/wire/messages.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace conga::cli {

struct MischiefOptions {
  std::uint64_t seed = 1;
  double duplicate = 0;  ///< The share of deliveries that go out twice, 0 to 1.
  double drop_acks = 0;  ///< The share of first attempts whose `ok` is lost, 0 to 1.
  bool reorder = false;  ///< Hold each back for up to kReorderWindow, so that neighbours swap.
  Duration delay{};      ///< Hold each back for up to this; 0: do not.
  std::set<std::string> targets{};  ///< The services that it is done to; empty: all.
};

inline constexpr Duration kReorderWindow = std::chrono::milliseconds(20);

/// What is done to one delivery.
struct Plan {
  Duration hold{};                 ///< Before it goes out.
  std::optional<Duration> copy{};  ///< It goes out once more, held so long.
  bool drop_ack = false;

  friend bool operator==(const Plan&, const Plan&) = default;
};

class Mischief {
public:
  explicit Mischief(MischiefOptions options) : options_(std::move(options)) {}

  bool concerns(std::string_view service) const;

  /// Only first attempts lose their `ok`: each event is redelivered once for it and no more, so
  /// that no delivery runs out of attempts and becomes a dead letter by our doing.
  Plan plan(std::string_view service, const DeliveryView& delivery, const EventView& event);

private:
  MischiefOptions options_;
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  ///< Alike deliveries, by their hash.
};

}  // namespace conga::cli
