// SPDX-License-Identifier: Apache-2.0
//
// Subscriber: the part of a service that takes deliveries and settles them. It heartbeats
// `ready/SERVICE/INSTANCE` with its credit once a second, and batches settlements of a turn.

#pragma once

#include "common/core/clock.h"
#include "common/runtime/node.h"
#include "common/wire/messages.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

struct SubscriberOptions {
  std::uint32_t credit = 256;  ///< 1 to 10 000; stays under the high-water mark of the sockets.
  Duration heartbeat = std::chrono::seconds(1);
};

/// A delivery that owns its bytes.
struct Delivery {
  DeliveryId id = 0;
  std::uint32_t attempt = 0;
  std::string rule;
  std::string event;
};

class Subscriber {
public:
  Subscriber(const std::string& service, const std::string& instance, SubscriberOptions options);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber();

  /// Heartbeats go out only while online (hello answered); going offline and online sends one at
  /// once. Draining announces credit 0.
  void set_online(bool online);
  void drain();

  /// A `deliver/SERVICE/INSTANCE` frame: the deliveries in it. What cannot be read is counted.
  std::vector<Delivery> on_deliveries(std::string_view body);

  /// Sent with the next collect().
  void settle(Settlement settlement);

  void collect(const Time& now, std::vector<Frame>& out);
  /// When collect() has something to send; a time long past: now.
  std::optional<SteadyTime> wake_at() const;

  std::uint64_t malformed() const;

private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace conga
