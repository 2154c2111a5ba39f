// SPDX-License-Identifier: Apache-2.0
//
// DeliveryWatch: what can be judged from the frames alone while bus and sidecar are at work:
// credit, that nothing goes to who is not owed it, and that of one key only one delivery is under
// way.

#pragma once

#include "tests/simulation/delivery_plan.h"
#include "tests/simulation/wire_watch.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace conga::simulation {

class DeliveryWatch final : public testing::Observer {
public:
  /// Both must outlive the watch.
  DeliveryWatch(const std::vector<PlannedEvent>& events, const std::vector<PlannedRules>& rules);

  void set_sidecar(testing::ActorId sidecar);

  void on_sent(const Time& now, testing::ActorId by, const Frame& frame) override;
  void on_given(const Time& now, testing::ActorId to, const Frame& frame) override;
  void on_death(const Time& now, testing::ActorId of) override;

  const std::set<std::string>& acknowledged() const { return wire_.acknowledged(); }

  std::vector<std::string> violations() const;

  /// The event ids and targets of which a consumer said ok.
  const std::set<std::pair<std::string, bus::TargetName>>& said_ok() const { return said_ok_; }

  /// Of ordered targets: the ids of events in the order in which they were first settled ok.
  const std::map<Lane, std::vector<std::string>>& settled() const { return settled_; }

private:
  struct Sent {
    DeliveryId id = 0;
    std::string event_id;
    std::string instance;  ///< SERVICE/INSTANCE.
    SteadyTime at;
    Duration ack_shortest{};  ///< Before it the sidecar surely waits; so the next.
    Duration ack_longest{};   ///< After it the sidecar surely does not.
  };

  void on_delivery(const Time& now, const std::string& to, const DeliveryView& delivery);
  void on_settlement(const Time& now, const Settlement& settlement);
  void hear(const Time& now, const std::string& instance);
  void end_of_instance(const std::string& instance);
  bool is_busy(const Time& now, const Sent& sent, Duration ack_timeout) const;

  const std::vector<PlannedEvent>& events_;
  const std::vector<PlannedRules>& rules_;
  WireWatch wire_;
  testing::ActorId sidecar_ = 0;
  std::map<Lane, Sent> under_way_;
  std::map<Lane, std::vector<std::string>> settled_;
  std::map<std::string, SteadyTime> heard_;  ///< By SERVICE/INSTANCE.
  std::map<DeliveryId, std::pair<std::string, bus::TargetName>> sent_;
  std::set<std::pair<std::string, bus::TargetName>> said_ok_;
  std::vector<std::string> violations_;
};

}  // namespace conga::simulation
