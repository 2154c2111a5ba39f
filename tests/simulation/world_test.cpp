// SPDX-License-Identifier: Apache-2.0
//
// The World itself, with small Nodes: what it promises the simulations that are built on it.

#include "tests/support/world.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace conga;
using namespace conga::testing;
using namespace std::chrono_literals;

namespace {

/// Relays what it is sent to whoever subscribes to the same topic, and counts who listens.
class Relay final : public Node {
public:
  explicit Relay(std::map<std::string, bool>& heard) : heard_(heard) {}

  void on_frame(const Time& /*now*/, Frame& frame) override {
    frame.channel = Channel::Subscribe;
    out_.push_back(std::move(frame));
  }

  void on_presence(const Time& /*now*/, const Presence& presence) override {
    heard_[presence.topic] = presence.present;
  }

  void on_time(const Time& now) override { closed_ = now.steady < open_from; }

  std::optional<SteadyTime> wake_at() const override {
    return closed_ ? std::optional(open_from) : std::nullopt;
  }

  Result<> commit(const Time& /*now*/, std::vector<Frame>& out) override {
    for (Frame& frame : out_) out.push_back(std::move(frame));
    out_.clear();
    return {};
  }

  bool accepts(Channel channel) const override { return channel != Channel::Publish || !closed_; }

  SteadyTime open_from;

private:
  std::map<std::string, bool>& heard_;
  std::vector<Frame> out_;
  bool closed_ = false;
};

/// Says a number every millisecond and notes which come back; what it has on disk is a counter.
constexpr int kNumbers = 200;

struct Disk {
  int said = 0;
  std::multiset<int> heard;
};

class Speaker final : public Node {
public:
  explicit Speaker(Disk& disk) : disk_(disk) {}

  void on_frame(const Time& /*now*/, Frame& frame) override {
    disk_.heard.insert(std::stoi(frame.body));
  }

  void on_time(const Time& now) override {
    if (now.steady < next_ || disk_.said >= kNumbers) return;
    next_ = now.steady + 1ms;
    saying_ = true;
  }

  std::optional<SteadyTime> wake_at() const override {
    return disk_.said < kNumbers ? std::optional(next_) : std::nullopt;
  }

  Result<> commit(const Time& /*now*/, std::vector<Frame>& out) override {
    if (!saying_) return {};
    saying_ = false;
    out.push_back({.channel = Channel::Bus, .topic = "t/x", .body = std::to_string(disk_.said++)});
    return {};
  }

  std::vector<std::string> subscriptions() const override { return {"t/x"}; }

private:
  Disk& disk_;
  SteadyTime next_;
  bool saying_ = false;
};

struct Run {
  explicit Run(std::uint64_t seed) : world(seed) {
    bus = world.add({.name = "relay", .role = Role::Forwarder, .start = [this](const Time&) {
                       auto node = std::make_unique<Relay>(heard);
                       relay = node.get();
                       return Result<std::unique_ptr<Node>>(std::move(node));
                     }});
    speaker = world.add({.name = "speaker", .role = Role::Client, .start = [this](const Time&) {
                           return Result<std::unique_ptr<Node>>(std::make_unique<Speaker>(disk));
                         }});
  }

  void run(Duration time) { world.run_until(world.now().steady + time); }

  std::map<std::string, bool> heard;
  Disk disk;
  Relay* relay = nullptr;
  World world;
  ActorId bus = 0;
  ActorId speaker = 0;
};

}  // namespace

TEST_CASE("in fair weather every frame arrives once, from when the connection holds") {
  Run run(1);
  run.run(1s);
  CHECK(run.disk.said == kNumbers);
  CHECK(run.disk.heard.size() > 160);
  CHECK(run.heard.at("t/x"));
  for (const int number : run.disk.heard) CHECK(run.disk.heard.count(number) == 1);
}

TEST_CASE("a storm loses, repeats and reorders") {
  Run run(2);
  run.world.set_weather({.loss = 0.3, .repeat = 0.3, .reorder = 0.3});
  run.run(1s);
  const std::set<int> once(run.disk.heard.begin(), run.disk.heard.end());
  CHECK(once.size() < kNumbers);
  CHECK(once.size() < run.disk.heard.size());
}

TEST_CASE("the same seed gives the same run, another seed another one") {
  const auto fingerprint = [](std::uint64_t seed) {
    Run run(seed);
    run.world.set_weather({.loss = 0.1, .repeat = 0.1, .reorder = 0.1});
    run.world.at(run.world.now().steady + 30ms,
                 [&run] { run.world.crash(run.speaker, {.point = CrashPoint::BeforeSend}); });
    run.run(1s);
    return run.world.fingerprint();
  };
  CHECK(fingerprint(3) == fingerprint(3));
  CHECK(fingerprint(3) != fingerprint(4));
}

TEST_CASE("the forwarder learns that a dead client is gone and that it is back") {
  Run run(5);
  run.run(100ms);
  CHECK(run.heard.at("t/x"));
  run.world.crash(run.speaker, {.down = 1s});
  run.run(200ms);
  CHECK_FALSE(run.world.is_up(run.speaker));
  CHECK_FALSE(run.heard.at("t/x"));
  run.run(2s);
  CHECK(run.heard.at("t/x"));
}

TEST_CASE("a crash before the commit undoes the turn, one before the send silences it") {
  for (const CrashPoint point : {CrashPoint::BeforeCommit, CrashPoint::BeforeSend}) {
    Run run(6);
    run.run(50ms);
    const int said = run.disk.said;
    run.world.crash(run.speaker, {.point = point, .down = 10s});
    run.run(100ms);
    CHECK(run.disk.said == said + (point == CrashPoint::BeforeSend ? 1 : 0));
    CHECK_FALSE(run.disk.heard.contains(said));
  }
}

TEST_CASE("what a Node does not accept waits, and is lost only with it") {
  Run run(7);
  run.run(50ms);
  const auto heard = run.disk.heard.size();
  run.relay->open_from = run.world.now().steady + 500ms;
  run.run(300ms);
  CHECK(run.disk.heard.size() <= heard + 2);
  run.run(1s);
  CHECK(run.disk.heard.contains(kNumbers - 1));
}

TEST_CASE("a client that is cut off hears nothing, and its subscription comes back") {
  Run run(8);
  run.run(50ms);
  run.world.cut(run.speaker, 20ms);
  run.run(2s);
  CHECK(run.disk.heard.size() < 190);
  CHECK(run.disk.heard.contains(kNumbers - 1));
  CHECK(run.heard.at("t/x"));
}

TEST_CASE("the wall clock may jump, the steady clock does not") {
  Run run(9);
  const Time before = run.world.now();
  run.world.jump_wall_clock(-1h);
  CHECK(run.world.now().steady == before.steady);
  CHECK(run.world.now().wall == before.wall - 1h);
}
