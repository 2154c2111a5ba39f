// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/node_thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace conga;

namespace {

/// Waits until the descriptor is readable; the limit is for a test that fails.
bool readable(int descriptor, int milliseconds = 10'000) {
  pollfd polled{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, milliseconds) == 1;
}

/// What the test and the Node within tell each other; all else is the Node's own.
struct Script {
  std::promise<void> begun;    ///< A turn has got the frame "wait" …
  std::promise<void> gate;     ///< … and does not end before this.
  std::atomic<int> ticks = 0;  ///< So many turns are asked for at once.
  std::atomic<bool> fails = false;
  std::atomic<bool> drained = true;
  std::function<void()> on_turn;  ///< May be empty.
};

/// Says what it hears, and on which thread.
class Echo final : public Node {
public:
  explicit Echo(Script& script) : script_(script) {}

  void on_frame(const Time& /*now*/, Frame& frame) override {
    if (frame.topic == "wait") {
      script_.begun.set_value();
      script_.gate.get_future().wait();
    }
    out_.push_back(std::move(frame));
  }

  void on_time(const Time& now) override {
    CHECK(now.steady >= last_);
    last_ = now.steady;
    const bool ticks = script_.ticks > 0;
    if (ticks && --script_.ticks == 0) out_.push_back({Channel::Link, "ticked", {}});
  }

  std::optional<SteadyTime> wake_at() const override {
    return script_.ticks > 0 ? std::optional(SteadyTime{}) : std::nullopt;
  }

  Result<> commit(const Time& /*now*/, std::vector<Frame>& out) override {
    if (script_.on_turn) script_.on_turn();
    if (script_.fails) return fail(Fault::Permanent, "the disk is gone");
    const bool here = std::this_thread::get_id() == made_by_;
    for (Frame& frame : out_) {
      frame.body = here ? "caller" : "thread";
      out.push_back(std::move(frame));
    }
    out_.clear();
    return {};
  }

  bool drained() const override { return script_.drained; }

private:
  Script& script_;
  const std::thread::id made_by_ = std::this_thread::get_id();
  SteadyTime last_;
  std::vector<Frame> out_;
};

/// An Echo in a NodeThread, and a caller's turns.
struct Pair {
  explicit Pair(NodeThreadOptions options, int ticks = 0, std::function<void()> on_turn = {}) {
    script.ticks = ticks;
    script.on_turn = std::move(on_turn);
    auto started = NodeThread::start(std::make_unique<Echo>(script), clock, *news, options);
    REQUIRE(started);
    node = std::move(*started);
  }

  Result<> turn(const std::vector<std::string>& topics) {
    const Time now = clock.now();
    for (const std::string& topic : topics) {
      Frame frame{.channel = Channel::Link, .topic = topic, .body = {}};
      node->on_frame(now, frame);
    }
    node->on_time(now);
    return node->commit(now, said);
  }

  /// Takes turns until so much has been said in all.
  void await(std::size_t frames) {
    while (said.size() < frames) {
      REQUIRE(readable(news->descriptor()));
      REQUIRE(turn({}));
    }
  }

  Script script;
  SystemClock clock;
  Result<Wakeup> news = Wakeup::open();
  std::unique_ptr<NodeThread> node;
  std::vector<Frame> said;
};

}  // namespace

TEST_CASE("a turn with little to do is done by the caller, at once") {
  Pair pair({.hand_over_size = 100});
  REQUIRE(pair.turn({"a", "b"}));
  REQUIRE(pair.said.size() == 2);
  CHECK(pair.said[0] == Frame{Channel::Link, "a", "caller"});
  CHECK(pair.said[1] == Frame{Channel::Link, "b", "caller"});
  CHECK_FALSE(readable(pair.news->descriptor(), 0));
}

TEST_CASE("much is handed over to the thread, whose answers wake the caller") {
  Pair pair({.hand_over_size = 3});
  REQUIRE(pair.turn({"abc"}));
  pair.await(1);
  CHECK(pair.said[0] == Frame{Channel::Link, "abc", "thread"});
  CHECK_FALSE(readable(pair.news->descriptor(), 0));
}

TEST_CASE("nothing overtakes what the thread has in work or is to get") {
  Pair pair({.hand_over_size = 4});
  REQUIRE(pair.turn({"wait"}));
  pair.script.begun.get_future().wait();
  REQUIRE(pair.turn({"b"}));
  CHECK(pair.said.empty());
  CHECK_FALSE(pair.node->wake_at());
  pair.script.gate.set_value();
  pair.await(2);
  REQUIRE(pair.turn({"c"}));
  pair.await(3);
  CHECK(pair.said[0].topic == "wait");
  CHECK(pair.said[1].topic == "b");
  CHECK(pair.said[2].topic == "c");
}

TEST_CASE("whoever does the turns, and however large they are, the order stays") {
  Pair pair({.hand_over_size = 20, .turn_size = 50});
  std::size_t next = 0;
  for (std::size_t turn = 0; turn < 2000; ++turn) {
    std::vector<std::string> topics;
    for (std::size_t each = 0; each < turn % 17; ++each) topics.push_back(std::to_string(next++));
    REQUIRE(pair.turn(topics));
  }
  pair.await(next);
  for (std::size_t at = 0; at < next; ++at) REQUIRE(pair.said[at].topic == std::to_string(at));
}

TEST_CASE("the thread keeps the time of its turns, the caller that of its own") {
  Pair pair({.hand_over_size = 3});
  CHECK_FALSE(pair.node->wake_at());
  pair.script.ticks = 4;
  REQUIRE(pair.turn({"a"}));
  CHECK(pair.node->wake_at() == SteadyTime{});
  REQUIRE(pair.turn({"abc"}));
  CHECK_FALSE(pair.node->wake_at());
  pair.await(3);
  CHECK(pair.said.back().topic == "ticked");
  CHECK(pair.script.ticks == 0);
}

TEST_CASE("a turn that is due before the thread has begun to wait is not lost") {
  for (int round = 0; round < 100; ++round) {
    Pair pair({.hand_over_size = 0}, 1);
    REQUIRE(pair.turn({}));
    pair.await(1);
    CHECK(pair.said[0] == Frame{Channel::Link, "ticked", "thread"});
  }
}

TEST_CASE("a turn of the thread comes when its descriptor is readable") {
  const auto event = Wakeup::open();
  REQUIRE(event);
  std::promise<void> woken;
  std::atomic<bool> told = false;
  Pair pair({.wake_descriptor = event->descriptor()}, 0, [&] {
    event->clear();
    if (!told.exchange(true)) woken.set_value();
  });
  event->wake();
  woken.get_future().wait();
}

TEST_CASE("an error of the thread is the caller's at its next turn, and stays") {
  Pair pair({.hand_over_size = 0});
  pair.script.fails = true;
  REQUIRE(pair.turn({"a"}));
  REQUIRE(readable(pair.news->descriptor()));
  for (int turn = 0; turn < 2; ++turn) {
    const auto outcome = pair.turn({"b"});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == "the disk is gone");
  }
}

TEST_CASE("an error of a turn that the caller does is told at once") {
  Pair pair({.hand_over_size = 100});
  pair.script.fails = true;
  CHECK_FALSE(pair.turn({"a"}));
}

TEST_CASE("it has drained when the Node within has, and nothing is on its way") {
  Pair pair({.hand_over_size = 4});
  pair.script.drained = false;
  pair.node->drain(pair.clock.now());
  CHECK(pair.node->wake_at() == SteadyTime{});
  CHECK_FALSE(pair.node->drained());
  pair.script.drained = true;
  CHECK(pair.node->drained());
  REQUIRE(pair.turn({"abcd"}));
  REQUIRE(readable(pair.news->descriptor()));
  CHECK_FALSE(pair.node->drained());
  pair.await(1);
  CHECK(pair.node->drained());
}
