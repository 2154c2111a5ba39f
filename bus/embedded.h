// SPDX-License-Identifier: Apache-2.0
//
// EmbeddedNode: forwarder and sidecar as one Node, for `sidecar: embedded`. What would cross the
// link goes from one to the other within the turn, and the sidecar's commit is still what decides
// when something may be answered.

#pragma once

#include "common/runtime/node.h"

#include <memory>
#include <optional>
#include <vector>

namespace conga::bus {

class EmbeddedNode final : public Node {
public:
  /// `sidecar` speaks the link's protocol, as a sidecar process would.
  EmbeddedNode(std::unique_ptr<Node> forwarder, std::unique_ptr<Node> sidecar);

  void on_frame(const Time& now, Frame& frame) override;
  void on_presence(const Time& now, const Presence& presence) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  bool accepts(Channel channel) const override;
  void measure(const Time& now, MetricsPage& page) const override;
  void reload(const Time& now) override;
  void drain(const Time& now) override;
  bool drained() const override;
  bool ready() const override;

private:
  Result<> collect(const Time& now, std::vector<Frame>& out);

  std::unique_ptr<Node> forwarder_;
  std::unique_ptr<Node> sidecar_;
  std::vector<Frame> to_sidecar_;
  std::vector<Frame> scratch_;
};

}  // namespace conga::bus
