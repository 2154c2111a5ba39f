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
    if (arrivals_.stop && stop_by_) {
      end_ = RunEnd::Interrupted;
      return {};
    }
    take_signals(now);
    for (const Presence& presence : arrivals_.presences) node_.on_presence(now, presence);
    for (Frame& frame : arrivals_.frames) node_.on_frame(now, frame);
    node_.on_time(now);
    out_.clear();
    if (auto committed = node_.commit(now, out_); !committed) return committed;
    for (Frame& frame : out_) transport_.send(std::move(frame));
    if (options_.after_turn) options_.after_turn(now);
    if (stop_by_ && now.steady >= *stop_by_) end_ = RunEnd::CutShort;
    if (stop_by_ && node_.drained()) end_ = RunEnd::Drained;
    return {};
  }

  std::optional<RunEnd> end() const { return end_; }

private:
  Duration wait() const {
    Duration wait = options_.longest_wait;
    if (stop_by_) wait = std::min(wait, kDrainInterval);
    if (const auto wake = node_.wake_at()) wait = std::min(wait, *wake - clock_.now().steady);
    return std::max(wait, Duration(0));
  }

  void take_signals(const Time& now) {
    if (arrivals_.reload) node_.reload(now);
    if (!arrivals_.stop) return;
    stop_by_ = now.steady + options_.drain_limit;
    node_.drain(now);
  }

  Node& node_;
  Transport& transport_;
  const Clock& clock_;
  const RunOptions& options_;
  Arrivals arrivals_;
  std::vector<Frame> out_;
  std::optional<SteadyTime> stop_by_;  ///< Set once draining.
  std::optional<RunEnd> end_;
};

}  // namespace

Result<RunEnd> run(Node& node,
                   Transport& transport,
                   const Clock& clock,
                   const RunOptions& options,
                   const std::function<bool()>& done) {
  Loop loop(node, transport, clock, options);
  while (!loop.end()) {
    if (auto turned = loop.turn(); !turned) return turned.failure();
    if (done && done()) return RunEnd::Done;
  }
  return *loop.end();
}

}  // namespace conga
