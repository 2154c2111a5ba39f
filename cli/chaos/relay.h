// SPDX-License-Identifier: Apache-2.0
//
// ChaosRelay: a Node on the link between a test bus and its sidecar. It passes everything on, both
// ways, and does mischief to deliveries and to their settlements: all of it things that
// at-least-once delivery allows to happen, so that a sound service takes no harm.
//
// While a copy of a delivery is out, its settlement is kept back: a sidecar that has nothing
// pending proves that the relay holds nothing either, and the next event of an ordering key does
// not overtake a copy of the one before.

#pragma once

#include "bus/sidecar/link.h"
#include "cli/chaos/deed.h"
#include "cli/chaos/mischief.h"
#include "common/runtime/node.h"
#include "common/wire/messages.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace conga::cli {

struct RelayOptions {
  MischiefOptions mischief{};
  /// With drop_acks: no target waits longer than this for an `ok` before it delivers again.
  Duration ack_timeout = std::chrono::seconds(1);
};

struct RelayCounters {
  std::uint64_t deliveries = 0;  ///< From the sidecar, to services that it is done to.
  std::uint64_t duplicated = 0;
  std::uint64_t held = 0;
  std::uint64_t acks_dropped = 0;
};

/// Frames of Channel::Bus come from and go to the bus, those of Channel::Link the sidecar.
class ChaosRelay final : public Node {
public:
  using Told = std::function<void(const Deed&)>;
  using Warned = std::function<void(const std::string&)>;

  /// `told` is called with every delivery that something is done to; `warned` with a sentence for
  /// people, if a service is named to which no rule delivers.
  ChaosRelay(RelayOptions options, Told told, Warned warned);

  void on_frame(const Time& now, Frame& frame) override;

  void on_time(const Time& /*now*/) override {}

  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;

  void drain(const Time& /*now*/) override { draining_ = true; }

  bool drained() const override { return held_.empty(); }

  const RelayCounters& counters() const { return counters_; }

private:
  /// A delivery of which more than one settlement, or one that is to be lost, will come.
  struct Open {
    std::uint32_t copies = 1;
    bool drop_ack = false;
  };

  struct Held {
    std::string topic;
    std::string body;
  };

  bool deliver(const Time& now, std::string_view service, const Frame& frame);
  void deliver(const Time& now,
               std::string_view service,
               const std::string& topic,
               const DeliveryView& delivery);
  void hold(SteadyTime until, const std::string& topic, const std::string& body);
  bool settle(Frame& frame);
  bool passes(const Settlement& settlement);
  void hasten(Frame& frame);
  void check_targets(const bus::LinkTable& table);

  RelayOptions options_;
  Mischief mischief_;
  Told told_;
  Warned warned_;
  RelayCounters counters_;
  std::vector<Frame> out_;
  std::multimap<SteadyTime, Held> held_;  ///< By when it goes out.
  std::unordered_map<DeliveryId, Open> open_;
  std::uint64_t checked_ = 0;  ///< The generation of the table that the targets were held against.
  bool draining_ = false;
};

}  // namespace conga::cli
