// SPDX-License-Identifier: Apache-2.0
//
// WireWatch: what can be judged from the frames alone, at every step: that no instance is sent more
// than its credit, and which events the sidecar has acknowledged.

#pragma once

#include "common/wire/messages.h"
#include "tests/support/world.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace conga::simulation {

class WireWatch final : public testing::Observer {
public:
  /// `ack_timeout` and `heartbeat_timeout`: the sidecar's, after which a delivery is not in flight.
  WireWatch(Duration ack_timeout, Duration heartbeat_timeout)
      : ack_timeout_(ack_timeout), heartbeat_timeout_(heartbeat_timeout) {}

  void set_sidecar(testing::ActorId sidecar) { sidecar_ = sidecar; }

  void on_sent(const Time& now, testing::ActorId by, const Frame& frame) override;
  void on_given(const Time& now, testing::ActorId to, const Frame& frame) override;
  void on_death(const Time& now, testing::ActorId of) override;

  const std::set<std::string>& acknowledged() const { return acknowledged_; }

  const std::vector<std::string>& violations() const { return violations_; }

private:
  struct Instance {
    std::uint32_t credit = 0;
    SteadyTime heard;
    std::map<DeliveryId, SteadyTime> in_flight;
  };

  void on_deliveries(const Time& now, const std::string& topic, std::string_view body);

  Duration ack_timeout_;
  Duration heartbeat_timeout_;
  testing::ActorId sidecar_ = 0;
  std::map<std::string, Instance> instances_;  ///< By SERVICE/INSTANCE.
  std::set<std::string> acknowledged_;
  std::vector<std::string> violations_;
};

}  // namespace conga::simulation
