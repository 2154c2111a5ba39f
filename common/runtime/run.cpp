// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/run.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace conga {
namespace {

/// While draining nothing may come that ends it, so the Node is asked at least this often.
constexpr Duration kDrainInterval = std::chrono::milliseconds(50);

class Loop {
public:
  Loop(Node& node, Transport& transport, const Clock& clock, const RunOptions& options)
      : node_(node), transport_(transport), clock_(clock), options_(options) {}

  Result<> turn() {
    const auto accepts = [this](Channel channel) { return node_.accepts(channel); };
    if (auto polled = transport_.poll(wait(), accepts, arrivals_); !polled) return polled;
    const Time now = clock_.now();
    take_signals(now);
    for (const Presence& presence : arrivals_.presences) node_.on_presence(now, presence);
    for (Frame& frame : arrivals_.frames) node_.on_frame(now, frame);
    node_.on_time(now);
    out_.clear();
    if (auto committed = node_.commit(now, out_); !committed) return committed;
    for (Frame& frame : out_) transport_.send(std::move(frame));
    if (options_.after_turn) options_.after_turn();
    return {};
  }

  bool stopped() const { return stop_by_ && (node_.drained() || clock_.now().steady >= *stop_by_); }

private:
  std::optional<Duration> wait() const {
    const SteadyTime now = clock_.now().steady;
    std::optional<Duration> wait;
    if (const auto wake = node_.wake_at()) wait = std::max(Duration(0), *wake - now);
    if (stop_by_) wait = std::min(wait.value_or(kDrainInterval), kDrainInterval);
    return wait;
  }

  void take_signals(const Time& now) {
    if (arrivals_.reload) node_.reload(now);
    if (!arrivals_.stop || stop_by_) return;
    stop_by_ = now.steady + options_.drain_limit;
    node_.drain(now);
  }

  Node& node_;
  Transport& transport_;
  const Clock& clock_;
  const RunOptions& options_;
  Arrivals arrivals_;
  std::vector<Frame> out_;
  std::optional<SteadyTime> stop_by_;
};

}  // namespace

Result<> run(Node& node,
             Transport& transport,
             const Clock& clock,
             const RunOptions& options,
             const std::function<bool()>& done) {
  Loop loop(node, transport, clock, options);
  while (!loop.stopped()) {
    if (auto turned = loop.turn(); !turned) return turned;
    if (done && done()) break;
  }
  return {};
}

}  // namespace conga
