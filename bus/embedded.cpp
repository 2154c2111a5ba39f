// SPDX-License-Identifier: Apache-2.0

#include "bus/embedded.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

EmbeddedNode::EmbeddedNode(std::unique_ptr<Node> forwarder, std::unique_ptr<Node> sidecar)
    : forwarder_(std::move(forwarder)), sidecar_(std::move(sidecar)) {}

void EmbeddedNode::on_frame(const Time& now, Frame& frame) {
  forwarder_->on_frame(now, frame);
}

void EmbeddedNode::on_presence(const Time& now, const Presence& presence) {
  forwarder_->on_presence(now, presence);
}

void EmbeddedNode::on_time(const Time& now) {
  forwarder_->on_time(now);
}

std::optional<SteadyTime> EmbeddedNode::wake_at() const {
  if (!to_sidecar_.empty()) return SteadyTime{};
  const auto one = forwarder_->wake_at();
  const auto other = sidecar_->wake_at();
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

/// Moves what the forwarder has to say: to `out`, or to what the sidecar gets next.
Result<> EmbeddedNode::collect(const Time& now, std::vector<Frame>& out) {
  scratch_.clear();
  if (auto committed = forwarder_->commit(now, scratch_); !committed) return committed;
  for (Frame& frame : scratch_) {
    (frame.channel == Channel::Link ? to_sidecar_ : out).push_back(std::move(frame));
  }
  return {};
}

/// The sidecar's turn lies within the forwarder's. What its answers make the forwarder tell it (a
/// table) waits for the next turn, which wake_at() brings about at once.
Result<> EmbeddedNode::commit(const Time& now, std::vector<Frame>& out) {
  if (auto collected = collect(now, out); !collected) return collected;
  for (Frame& frame : to_sidecar_) sidecar_->on_frame(now, frame);
  to_sidecar_.clear();
  sidecar_->on_time(now);
  std::vector<Frame> answers;
  if (auto committed = sidecar_->commit(now, answers); !committed) return committed;
  for (Frame& frame : answers) {
    frame.channel = Channel::Link;
    forwarder_->on_frame(now, frame);
  }
  return collect(now, out);
}

bool EmbeddedNode::accepts(Channel channel) const {
  return forwarder_->accepts(channel);
}

void EmbeddedNode::measure(const Time& now, MetricsPage& page) const {
  forwarder_->measure(now, page);
  sidecar_->measure(now, page);
}

void EmbeddedNode::reload(const Time& now) {
  forwarder_->reload(now);
}

void EmbeddedNode::drain(const Time& now) {
  forwarder_->drain(now);
  sidecar_->drain(now);
}

bool EmbeddedNode::drained() const {
  return forwarder_->drained() && sidecar_->drained();
}

bool EmbeddedNode::ready() const {
  return forwarder_->ready() && sidecar_->ready();
}

}  // namespace conga::bus
