// SPDX-License-Identifier: Apache-2.0
//
// NodeThread: a Node inside another one that has a thread of its own for when there is much to do.
// A turn with little to do is done at once by the caller: to hand it over and to hear of its end
// costs two wake-ups, which is more than such a turn.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/io/wakeup.h"
#include "common/runtime/node.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace conga {

struct NodeThreadOptions {
  /// Bytes of frames that are handed over to the thread; a turn with less is done by the caller if
  /// the thread has nothing to do. 0: every turn is the thread's.
  std::size_t hand_over_size = std::size_t{256} << 10U;

  /// Bytes of frames after which the thread ends a turn, so that answers do not wait for all.
  std::size_t turn_size = std::size_t{512} << 10U;

  /// Brings about a turn while it is readable, as ZmqOptions::wake_descriptor.
  std::optional<int> wake_descriptor = {};
};

/// Its functions are called by one thread. The Node within is used by one thread at a time; what it
/// uses must not be shared with the caller. What comes to it, and what it says, keeps its order.
class NodeThread final : public Node {
public:
  /// `news` wakes the caller for a turn whose commit() will return something. `clock`, which is
  /// asked by both threads, and `news` must outlive it. Fails if the process may have no more
  /// descriptors.
  static Result<std::unique_ptr<NodeThread>> start(std::unique_ptr<Node> node,
                                                   const Clock& clock,
                                                   const Wakeup& news,
                                                   NodeThreadOptions options);

  NodeThread(const NodeThread&) = delete;
  NodeThread& operator=(const NodeThread&) = delete;

  /// Waits for the turn that is under way. What was handed over and not worked off is dropped.
  ~NodeThread() override;

  void on_frame(const Time& now, Frame& frame) override;

  void on_time(const Time& /*now*/) override {}

  std::optional<SteadyTime> wake_at() const override { return wake_at_; }

  /// Appends what the Node within has said since. An error is that Node's, and final.
  Result<> commit(const Time& now, std::vector<Frame>& out) override;

  void measure(const Time& now, MetricsPage& page) const override;
  bool ready() const override;
  void drain(const Time& now) override;
  bool drained() const override;

private:
  NodeThread(std::unique_ptr<Node> node,
             const Clock& clock,
             const Wakeup& news,
             Wakeup work,
             NodeThreadOptions options);

  bool must_hand_over() const;
  void hand_over();
  Result<> turn_of_caller(std::vector<Frame>& out);
  Result<> collect(std::vector<Frame>& out);

  void run();
  bool wait_for_work();
  void take_work();
  Result<> turn_of_thread();

  Result<> turn(std::vector<Frame>& frames, std::vector<Frame>& out);

  const std::unique_ptr<Node> node_;
  const Clock& clock_;
  const Wakeup& news_;
  const Wakeup work_;  ///< Ends the thread's wait.
  const NodeThreadOptions options_;

  // The caller's.
  std::vector<Frame> fresh_;
  std::size_t fresh_bytes_ = 0;
  std::optional<SteadyTime> wake_at_;  ///< Set while the newest turn was the caller's.

  // The thread's.
  std::vector<Frame> taken_;
  std::vector<Frame> said_;
  std::optional<SteadyTime> thread_wakes_at_;

  mutable std::mutex turn_;  ///< Who has it may use node_. Taken before mutex_.

  mutable std::mutex mutex_;  ///< For what is below.
  std::deque<Frame> handed_over_;
  std::vector<Frame> answers_;
  Result<> outcome_;          ///< Of the thread; an error is its last word.
  bool turn_wanted_ = false;  ///< Even if nothing was handed over.
  bool asleep_ = false;
  bool ending_ = false;

  std::thread thread_;
};

}  // namespace conga
