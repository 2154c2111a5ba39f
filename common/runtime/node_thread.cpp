// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/node_thread.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <poll.h>
#include <utility>

namespace conga {
namespace {

/// For poll(2): rounded up, so that what is waited for is due then. -1: no limit.
int milliseconds_until(std::optional<SteadyTime> when, const Clock& clock) {
  if (!when) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*when - clock.now().steady);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

std::size_t size_of(const Frame& frame) {
  return frame.topic.size() + frame.body.size();
}

}  // namespace

Result<std::unique_ptr<NodeThread>> NodeThread::start(std::unique_ptr<Node> node,
                                                      const Clock& clock,
                                                      const Wakeup& news,
                                                      NodeThreadOptions options) {
  auto work = Wakeup::open();
  if (!work) return work.failure();
  return std::unique_ptr<NodeThread>(
      new NodeThread(std::move(node), clock, news, std::move(*work), options));
}

NodeThread::NodeThread(std::unique_ptr<Node> node,
                       const Clock& clock,
                       const Wakeup& news,
                       Wakeup work,
                       NodeThreadOptions options)
    : node_(std::move(node)),
      clock_(clock),
      news_(news),
      work_(std::move(work)),
      options_(options),
      wake_at_(node_->wake_at()),
      thread_([this] { run(); }) {}

NodeThread::~NodeThread() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  work_.wake();
  thread_.join();
}

void NodeThread::on_frame(const Time& /*now*/, Frame& frame) {
  fresh_bytes_ += size_of(frame);
  fresh_.push_back(std::move(frame));
}

Result<> NodeThread::commit(const Time& now, std::vector<Frame>& out) {
  const bool due = wake_at_ && *wake_at_ <= now.steady;
  if (fresh_.empty() && !due) return collect(out);
  std::unique_lock turn(turn_, std::defer_lock);
  if (fresh_bytes_ < options_.hand_over_size && turn.try_lock() && !must_hand_over()) {
    return turn_of_caller(out);
  }
  hand_over();
  return collect(out);
}

/// What is handed over already must not be overtaken.
bool NodeThread::must_hand_over() const {
  const std::scoped_lock lock(mutex_);
  return !handed_over_.empty();
}

/// With turn_ held. What the thread has said comes first.
Result<> NodeThread::turn_of_caller(std::vector<Frame>& out) {
  if (auto collected = collect(out); !collected) return collected;
  auto turned = turn(fresh_, out);
  fresh_bytes_ = 0;
  wake_at_ = node_->wake_at();
  return turned;
}

/// From its next turn on, which comes even without frames, the thread keeps the time itself.
void NodeThread::hand_over() {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    std::ranges::move(fresh_, std::back_inserter(handed_over_));
    turn_wanted_ = true;
    wake = std::exchange(asleep_, false);
  }
  if (wake) work_.wake();
  fresh_.clear();
  fresh_bytes_ = 0;
  wake_at_.reset();
}

Result<> NodeThread::collect(std::vector<Frame>& out) {
  const std::scoped_lock lock(mutex_);
  if (!outcome_) return outcome_;
  if (answers_.empty()) return {};
  news_.clear();
  std::ranges::move(answers_, std::back_inserter(out));
  answers_.clear();
  return {};
}

/// With turn_ held. The time is asked for within it, so that for the Node it never goes back.
Result<> NodeThread::turn(std::vector<Frame>& frames, std::vector<Frame>& out) {
  const Time now = clock_.now();
  for (Frame& frame : frames) node_->on_frame(now, frame);
  frames.clear();
  node_->on_time(now);
  return node_->commit(now, out);
}

void NodeThread::run() {
  while (wait_for_work()) {
    if (auto turned = turn_of_thread(); !turned) {
      const std::scoped_lock lock(mutex_);
      outcome_ = std::move(turned);
      news_.wake();
      return;
    }
  }
}

/// False: it is over.
bool NodeThread::wait_for_work() {
  {
    const std::scoped_lock lock(mutex_);
    if (ending_) return false;
    if (turn_wanted_ || !handed_over_.empty()) return true;
    asleep_ = true;
  }
  std::array<pollfd, 2> polled{
      pollfd{.fd = work_.descriptor(), .events = POLLIN, .revents = 0},
      pollfd{.fd = options_.wake_descriptor.value_or(-1), .events = POLLIN, .revents = 0}};
  ::poll(polled.data(), polled.size(), milliseconds_until(thread_wakes_at_, clock_));
  work_.clear();
  const std::scoped_lock lock(mutex_);
  asleep_ = false;
  return !ending_;
}

Result<> NodeThread::turn_of_thread() {
  const std::scoped_lock turn_lock(turn_);
  take_work();
  if (auto turned = turn(taken_, said_); !turned) return turned;
  thread_wakes_at_ = node_->wake_at();
  const std::scoped_lock lock(mutex_);
  if (!said_.empty() && answers_.empty()) news_.wake();
  std::ranges::move(said_, std::back_inserter(answers_));
  said_.clear();
  return {};
}

void NodeThread::take_work() {
  const std::scoped_lock lock(mutex_);
  turn_wanted_ = false;
  std::size_t bytes = 0;
  while (!handed_over_.empty() && bytes < options_.turn_size) {
    bytes += size_of(handed_over_.front());
    taken_.push_back(std::move(handed_over_.front()));
    handed_over_.pop_front();
  }
}

void NodeThread::measure(const Time& now, MetricsPage& page) const {
  const std::scoped_lock turn(turn_);
  node_->measure(now, page);
}

bool NodeThread::ready() const {
  const std::scoped_lock turn(turn_);
  return node_->ready();
}

void NodeThread::drain(const Time& /*now*/) {
  const std::scoped_lock turn(turn_);
  node_->drain(clock_.now());
  wake_at_ = SteadyTime{};
}

bool NodeThread::drained() const {
  const std::scoped_lock turn(turn_);
  const std::scoped_lock lock(mutex_);
  return fresh_.empty() && handed_over_.empty() && answers_.empty() && node_->drained();
}

}  // namespace conga
