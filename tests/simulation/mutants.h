// SPDX-License-Identifier: Apache-2.0
//
// Mutants: Nodes around the real ones that break one rule each. The simulation has to notice.

#pragma once

#include "common/runtime/node.h"
#include "services/kit/database.h"

#include <memory>
#include <set>
#include <string>

namespace conga::simulation {

/// Passes everything on; a mutant changes one thing.
class NodeWrapper : public Node {
public:
  explicit NodeWrapper(std::unique_ptr<Node> inner) : inner_(std::move(inner)) {}

  void on_frame(const Time& now, Frame& frame) override { inner_->on_frame(now, frame); }

  void on_presence(const Time& now, const Presence& presence) override {
    inner_->on_presence(now, presence);
  }

  void on_time(const Time& now) override { inner_->on_time(now); }

  std::optional<SteadyTime> wake_at() const override { return inner_->wake_at(); }

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    return inner_->commit(now, out);
  }

  bool accepts(Channel channel) const override { return inner_->accepts(channel); }

  std::vector<std::string> subscriptions() const override { return inner_->subscriptions(); }

protected:
  std::unique_ptr<Node> inner_;
};

/// A service that forgets what it has dealt with.
std::unique_ptr<Node> without_inbox(std::unique_ptr<Node> service, kit::Database& database);

/// A service that puts each event once. `put` outlives its deaths.
std::unique_ptr<Node> without_resend(std::unique_ptr<Node> service, std::set<std::string>& put);

/// A service that settles what it is given before it works on it.
std::unique_ptr<Node> settling_early(std::unique_ptr<Node> service);

/// A sidecar that takes every instance's credit for boundless.
std::unique_ptr<Node> without_credit(std::unique_ptr<Node> sidecar);

}  // namespace conga::simulation
