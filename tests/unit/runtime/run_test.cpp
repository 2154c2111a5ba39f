// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/run.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using conga::Arrivals;
using conga::Channel;
using conga::Frame;
using conga::Result;
using conga::RunEnd;
using conga::Time;
using namespace std::chrono_literals;

namespace {

class FakeClock final : public conga::Clock {
public:
  Time now() const override { return time_; }

  void advance(conga::Duration by) {
    time_.steady += by;
    time_.wall += by;
  }

private:
  Time time_;
};

/// Gives one script of arrivals a turn, and lets time pass when a Node would wait.
class FakeTransport final : public conga::Transport {
public:
  explicit FakeTransport(FakeClock& clock) : clock_(clock) {}

  Result<> poll(std::optional<conga::Duration> wait,
                const std::function<bool(Channel)>& /*accepts*/,
                Arrivals& arrivals) override {
    arrivals = {};
    waits.push_back(wait);
    if (turn < script.size()) {
      arrivals = script[turn++];
    } else {
      clock_.advance(wait.value_or(1s));
    }
    return {};
  }

  void send(Frame frame) override { sent.push_back(std::move(frame)); }

  std::vector<Arrivals> script;
  std::vector<Frame> sent;
  std::vector<std::optional<conga::Duration>> waits;
  std::size_t turn = 0;

private:
  FakeClock& clock_;
};

class Recorder final : public conga::Node {
public:
  void on_frame(const Time& /*now*/, Frame& frame) override {
    calls += "frame:" + frame.topic + " ";
  }

  void on_presence(const Time& /*now*/, const conga::Presence& presence) override {
    calls += "presence:" + presence.topic + " ";
  }

  void on_time(const Time& /*now*/) override { calls += "time "; }

  std::optional<conga::SteadyTime> wake_at() const override { return wake; }

  Result<> commit(const Time& /*now*/, std::vector<Frame>& out) override {
    calls += "commit ";
    if (broken) return conga::fail(conga::Fault::Corrupt, "the disk is gone");
    out.push_back({.channel = Channel::Bus, .topic = "out", .body = {}});
    return {};
  }

  void reload(const Time& /*now*/) override { calls += "reload "; }

  void drain(const Time& /*now*/) override { calls += "drain "; }

  bool drained() const override { return is_drained; }

  std::string calls;
  std::optional<conga::SteadyTime> wake;
  bool broken = false;
  bool is_drained = true;
};

}  // namespace

TEST_CASE("a turn is: signals, presence, frames, timers, commit, send") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  transport.script.push_back({.frames = {{.channel = Channel::Bus, .topic = "a", .body = {}}},
                              .presences = {{.topic = "p", .present = true}},
                              .reload = true,
                              .stop = true});
  REQUIRE(conga::run(node, transport, clock));
  CHECK(node.calls == "reload drain presence:p frame:a time commit ");
  CHECK(transport.sent.size() == 1);
}

TEST_CASE("nothing is sent of a turn whose commit failed, and the loop ends with its error") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  node.broken = true;
  const auto ended = conga::run(node, transport, clock);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().what == "the disk is gone");
  CHECK(transport.sent.empty());
}

TEST_CASE("a node that never drains is ended at the limit") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  node.is_drained = false;
  transport.script.push_back({.frames = {}, .presences = {}, .reload = false, .stop = true});
  const auto end = conga::run(node, transport, clock, {.drain_limit = 2s});
  REQUIRE(end);
  CHECK(*end == RunEnd::CutShort);
  CHECK(clock.now().steady.time_since_epoch() >= 2s);
  CHECK(clock.now().steady.time_since_epoch() < 3s);
}

TEST_CASE("the transport waits until the node wants to be woken, and no time if that is past") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  node.wake = clock.now().steady + 200ms;
  int turns = 0;
  REQUIRE(conga::run(node, transport, clock, {}, [&turns] { return ++turns == 2; }));
  CHECK(transport.waits == std::vector<std::optional<conga::Duration>>{200ms, 0s});
}

TEST_CASE("a turn comes at least as often as the watchdog needs it") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  std::vector<Time> seen;
  const conga::RunOptions options{.longest_wait = 300ms,
                                  .after_turn = [&seen](const Time& now) { seen.push_back(now); }};
  const auto end =
      conga::run(node, transport, clock, options, [&seen] { return seen.size() == 3; });
  REQUIRE(end);
  CHECK(*end == RunEnd::Done);
  CHECK(seen.back().steady - seen.front().steady == 600ms);
}

TEST_CASE("a second stop signal ends the loop at once") {
  FakeClock clock;
  FakeTransport transport(clock);
  Recorder node;
  node.is_drained = false;
  const Arrivals stop{.frames = {}, .presences = {}, .reload = false, .stop = true};
  transport.script = {stop, stop};
  const auto end = conga::run(node, transport, clock);
  REQUIRE(end);
  CHECK(*end == RunEnd::Interrupted);
  CHECK(node.calls == "drain time commit ");
}
