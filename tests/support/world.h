// SPDX-License-Identifier: Apache-2.0
//
// World: many Nodes in one thread, under a virtual clock and on a network that loses, repeats,
// delays and reorders. Everything that chance decides comes from one seed, so a failing run replays
// exactly. docs/simulation.md says what is modelled and what is not.

#pragma once

#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/core/result.h"
#include "common/runtime/node.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace conga::testing {

/// What the network between clients and forwarder does to each frame. The link between forwarder
/// and sidecar only delays: it is one connection, and loses frames only when an end dies.
struct Weather {
  double loss = 0;
  double repeat = 0;
  double reorder = 0;  ///< Chance that a frame may be overtaken, by up to `late`.
  Duration delay = std::chrono::microseconds(300);  ///< Of every frame, at most.
  Duration late = std::chrono::milliseconds(200);
  Duration connect = std::chrono::milliseconds(30);  ///< Until a connection or subscription holds.
  Duration notice = std::chrono::milliseconds(50);   ///< Until a dead client is noticed.
};

/// Which end of the wires a Node is.
enum class Role : std::uint8_t { Client, Forwarder, Sidecar };

enum class Death : std::uint8_t {
  Kill,       ///< The process dies, the machine goes on.
  PowerLoss,  ///< The machine dies: what was not synced goes.
};

/// Where in a turn a Node dies.
enum class CrashPoint : std::uint8_t {
  BetweenTurns,
  BeforeCommit,  ///< After it was given frames.
  BeforeSend,    ///< After commit(): durable, and nobody is told.
};

struct Crash {
  CrashPoint point = CrashPoint::BetweenTurns;
  Death death = Death::Kill;
  Duration down = std::chrono::milliseconds(100);
};

/// A seam under a Node may throw it: the process dies in the middle of commit().
struct CrashNow {
  Death death = Death::Kill;
};

using ActorId = std::size_t;

/// One daemon. What it keeps on disk lives outside and survives it.
struct Actor {
  std::string name;
  Role role = Role::Client;
  /// Makes the Node from what survived; called at the start and after each death.
  std::function<Result<std::unique_ptr<Node>>(const Time& now)> start;
  /// The Node is gone; the disk has to look accordingly. May be empty.
  std::function<void(Death)> died = {};
};

/// Sees every frame; for invariants.
class Observer {
public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  virtual void on_sent(const Time& /*now*/, ActorId /*by*/, const Frame& /*frame*/) {}

  virtual void on_given(const Time& /*now*/, ActorId /*to*/, const Frame& /*frame*/) {}

  virtual void on_death(const Time& /*now*/, ActorId /*of*/) {}
};

class World {
public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// At most one forwarder and one sidecar. It starts when the run goes on.
  ActorId add(Actor actor);

  void set_weather(const Weather& weather) { weather_ = weather; }

  /// `observer` must outlive the World.
  void watch(Observer& observer) { observer_ = &observer; }

  /// Kills the Node now, or at that point of its next turn with frames.
  void crash(ActorId id, const Crash& crash);

  /// Cuts a client off the bus for a while; both ends live on.
  void cut(ActorId id, Duration duration);

  /// Bus and sidecar do not hear each other for a while, and what is under way between them is
  /// lost.
  void cut_link(Duration duration);

  /// The wall clock jumps, forward or back; the steady one does not.
  void jump_wall_clock(Duration by) { wall_offset_ += by; }

  void at(SteadyTime time, std::function<void()> action);

  /// Goes on until `done` (asked every 10 ms of virtual time) or `limit`; returns whether done.
  bool run_until(SteadyTime limit, const std::function<bool()>& done = {});

  Time now() const;

  Random& random() { return random_; }

  bool is_up(ActorId id) const;
  const std::string& name_of(ActorId id) const;

  /// Writes to the run's log, which is printed if CONGA_SIM_LOG is set.
  void note(ActorId id, std::string_view what, std::string_view detail = {});

  /// Of all that happened so far: two runs of one seed have the same.
  std::uint64_t fingerprint() const { return fingerprint_; }

  std::uint64_t turns() const { return turns_; }

  /// Errors that ended a Node by itself, oldest first: `NAME: what`.
  const std::vector<std::string>& failures() const { return failures_; }

private:
  struct Process;
  struct Item;
  struct Later;

  /// A client's subscription as the forwarder's XPUB has it.
  struct Subscription {
    ActorId client = 0;
    std::uint64_t life = 0;
    std::string topic;
  };

  void push(SteadyTime time, Item item);
  void carry_out(Item& item);
  void start(ActorId id);
  void turn(ActorId id);
  void take_inbox(Process& process, const Time& now);
  bool dies_at(ActorId id, CrashPoint point);
  void fail(ActorId id, const Error& error);
  void die(ActorId id, Death death, Duration down);
  void send(ActorId from, Frame frame);
  void send_to_forwarder(Process& from, Frame frame);
  void publish(Frame frame);
  void send_over_link(ActorId from, Frame frame);
  void travel(ActorId to, Frame frame, SteadyTime& last);
  void arrive(ActorId id, Frame frame);
  void connect(ActorId id);
  void connect_clients();
  void subscribe(ActorId id, std::uint64_t life, const std::string& topic);
  void unsubscribe(ActorId id, std::uint64_t life);
  void tell_presence(const std::string& topic, bool present);
  void wake(ActorId id, SteadyTime time);
  void schedule_next(ActorId id);
  Duration up_to(Duration most);

  Random random_;
  Weather weather_;
  Observer* observer_ = nullptr;
  std::vector<std::unique_ptr<Process>> processes_;
  std::optional<ActorId> forwarder_;
  std::optional<ActorId> sidecar_;
  std::vector<Subscription> subscriptions_;
  std::vector<Item> heap_;
  SteadyTime now_;
  Duration wall_offset_{};
  SteadyTime link_up_;
  std::uint64_t order_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::vector<std::string> failures_;
  std::vector<Frame> out_;
  bool log_ = false;
};

}  // namespace conga::testing
