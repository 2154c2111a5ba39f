// SPDX-License-Identifier: Apache-2.0

#include "tests/support/world.h"

#include "common/core/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace conga::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// A turn takes at least so long: a Node that always wants to be woken does not stop the clock.
constexpr Duration kTurn = microseconds(20);
constexpr Duration kStartAgain = milliseconds(300);  ///< As a supervisor would.
constexpr Duration kAskDone = milliseconds(10);
constexpr std::uint64_t kPrime = 0x100000001b3;
constexpr std::array kChannels{Channel::Bus, Channel::Publish, Channel::Subscribe, Channel::Link};

std::size_t index_of(Channel channel) {
  return static_cast<std::size_t>(channel);
}

}  // namespace

/// A daemon's Node in its present life, and the wires as they end in it.
struct World::Process {
  Actor actor;
  std::unique_ptr<Node> node;
  std::uint64_t life = 0;  ///< Counts the starts.
  std::array<std::deque<Frame>, kChannels.size()> inbox;
  std::vector<Presence> presences;
  std::optional<SteadyTime> turn_at;
  std::optional<Crash> doom;
  SteadyTime connected;     ///< A client's: from then on its frames reach the forwarder.
  SteadyTime cut_until;     ///< A client's.
  SteadyTime last_arrival;  ///< At this end; so frames keep their order.
  SteadyTime last_sent;     ///< A client's: arrival of its last frame at the forwarder.
};

struct World::Item {
  enum class Kind : std::uint8_t { Turn, Arrive, Start, Subscribe, Unsubscribe, Action };

  SteadyTime time;
  std::uint64_t order = 0;
  Kind kind = Kind::Action;
  ActorId actor = 0;
  std::uint64_t life = 0;  ///< The item is void if the process has another by then.
  Frame frame;             ///< Arrive; Subscribe: its topic.
  std::function<void()> action;
};

struct World::Later {
  bool operator()(const Item& one, const Item& other) const {
    return one.time != other.time ? one.time > other.time : one.order > other.order;
  }
};

World::World(std::uint64_t seed)
    : random_(seed),
      now_(std::chrono::seconds(1000)),
      wall_offset_(std::chrono::seconds(1'790'000'000)),
      log_(std::getenv("CONGA_SIM_LOG") != nullptr) {}

World::~World() = default;

ActorId World::add(Actor actor) {
  const ActorId id = processes_.size();
  if (actor.role == Role::Forwarder) forwarder_ = id;
  if (actor.role == Role::Sidecar) sidecar_ = id;
  processes_.push_back(std::make_unique<Process>());
  processes_.back()->actor = std::move(actor);
  push(now_, {.time = {}, .kind = Item::Kind::Start, .actor = id, .frame = {}, .action = {}});
  return id;
}

Time World::now() const {
  return {.steady = now_, .wall = WallTime(now_.time_since_epoch() + wall_offset_)};
}

bool World::is_up(ActorId id) const {
  return processes_[id]->node != nullptr;
}

const std::string& World::name_of(ActorId id) const {
  return processes_[id]->actor.name;
}

void World::note(ActorId id, std::string_view what, std::string_view detail) {
  for (const std::string_view part : {what, detail}) {
    for (const char letter : part) {
      fingerprint_ = (fingerprint_ ^ static_cast<unsigned char>(letter)) * kPrime;
    }
  }
  fingerprint_ =
      (fingerprint_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^ id) * kPrime;
  if (!log_) return;
  std::fprintf(stderr,
               "%12.6f %-14s %.*s %.*s\n",
               std::chrono::duration<double>(now_.time_since_epoch()).count() - 1000,
               name_of(id).c_str(),
               static_cast<int>(what.size()),
               what.data(),
               static_cast<int>(detail.size()),
               detail.data());
}

Duration World::up_to(Duration most) {
  if (most.count() <= 0) return Duration(0);
  return Duration(random_.below(static_cast<std::uint64_t>(most.count()) + 1));
}

// --- The agenda ---

void World::push(SteadyTime time, Item item) {
  item.time = std::max(time, now_);
  item.order = order_++;
  heap_.push_back(std::move(item));
  std::ranges::push_heap(heap_, Later());
}

void World::at(SteadyTime time, std::function<void()> action) {
  push(time, {.time = {}, .kind = Item::Kind::Action, .frame = {}, .action = std::move(action)});
}

bool World::run_until(SteadyTime limit, const std::function<bool()>& done) {
  SteadyTime ask = now_;
  while (!heap_.empty() && heap_.front().time <= limit) {
    std::ranges::pop_heap(heap_, Later());
    Item item = std::move(heap_.back());
    heap_.pop_back();
    now_ = item.time;
    carry_out(item);
    if (!done || now_ < ask) continue;
    if (done()) return true;
    ask = now_ + kAskDone;
  }
  now_ = limit;
  return done && done();
}

void World::carry_out(Item& item) {
  if (item.kind == Item::Kind::Action) return item.action();
  Process& process = *processes_[item.actor];
  switch (item.kind) {
    case Item::Kind::Start:
      return start(item.actor);
    case Item::Kind::Turn:
      if (process.node && process.turn_at == item.time) turn(item.actor);
      return;
    case Item::Kind::Arrive:
      if (process.node && process.life == item.life) arrive(item.actor, std::move(item.frame));
      return;
    case Item::Kind::Subscribe:
      return subscribe(item.actor, item.life, item.frame.topic);
    case Item::Kind::Unsubscribe:
      return unsubscribe(item.actor, item.life);
    case Item::Kind::Action:
      return;
  }
}

void World::wake(ActorId id, SteadyTime time) {
  Process& process = *processes_[id];
  time = std::max(time, now_ + kTurn);
  if (process.turn_at && *process.turn_at <= time) return;
  process.turn_at = time;
  push(time, {.time = {}, .kind = Item::Kind::Turn, .actor = id, .frame = {}, .action = {}});
}

// --- Lives and deaths ---

void World::start(ActorId id) {
  Process& process = *processes_[id];
  if (process.node) return;
  auto node = process.actor.start(now());
  if (!node) {
    note(id, "does not start:", node.error().what);
    failures_.push_back(process.actor.name + ": " + node.error().what);
    push(now_ + kStartAgain,
         {.time = {}, .kind = Item::Kind::Start, .actor = id, .frame = {}, .action = {}});
    return;
  }
  process.node = std::move(*node);
  ++process.life;
  process.turn_at.reset();
  process.cut_until = {};
  note(id, "starts");
  if (process.actor.role == Role::Client) {
    connect(id);
  } else {
    link_up_ = now_ + up_to(weather_.connect);
  }
  if (process.actor.role == Role::Forwarder) connect_clients();
  wake(id, now_);
}

void World::crash(ActorId id, const Crash& crash) {
  if (!is_up(id)) return;
  if (crash.point == CrashPoint::BetweenTurns) return die(id, crash.death, crash.down);
  processes_[id]->doom = crash;
}

bool World::dies_at(ActorId id, CrashPoint point) {
  Process& process = *processes_[id];
  if (!process.doom || process.doom->point != point) return false;
  die(id, process.doom->death, process.doom->down);
  return true;
}

void World::die(ActorId id, Death death, Duration down) {
  Process& process = *processes_[id];
  note(id, "dies", death == Death::Kill ? "killed" : "power lost");
  process.node.reset();
  process.doom.reset();
  process.presences.clear();
  for (auto& frames : process.inbox) frames.clear();
  if (process.actor.died) process.actor.died(death);
  if (observer_) observer_->on_death(now(), id);
  if (process.actor.role == Role::Forwarder) subscriptions_.clear();
  if (process.actor.role == Role::Client) {
    push(now_ + up_to(weather_.notice),
         {.time = {},
          .kind = Item::Kind::Unsubscribe,
          .actor = id,
          .life = process.life,
          .frame = {},
          .action = {}});
  }
  push(now_ + down,
       {.time = {}, .kind = Item::Kind::Start, .actor = id, .frame = {}, .action = {}});
}

void World::fail(ActorId id, const Error& error) {
  note(id, "ends:", error.what);
  failures_.push_back(name_of(id) + ": " + error.what);
  die(id, Death::Kill, kStartAgain);
}

// --- A turn ---

void World::turn(ActorId id) {
  Process& process = *processes_[id];
  process.turn_at.reset();
  ++turns_;
  const Time time = now();
  try {
    take_inbox(process, time);
    process.node->on_time(time);
    if (dies_at(id, CrashPoint::BeforeCommit)) return;
    out_.clear();
    const auto committed = process.node->commit(time, out_);
    if (!committed) return fail(id, committed.error());
  } catch (const CrashNow& crash) {
    return die(id, crash.death, up_to(milliseconds(200)));
  }
  if (!out_.empty() && dies_at(id, CrashPoint::BeforeSend)) return;
  std::vector<Frame> out = std::move(out_);
  for (Frame& frame : out) send(id, std::move(frame));
  out_ = std::move(out);
  schedule_next(id);
}

void World::take_inbox(Process& process, const Time& now) {
  Node& node = *process.node;
  std::array<bool, kChannels.size()> accepts{};
  for (const Channel channel : kChannels) accepts[index_of(channel)] = node.accepts(channel);
  for (const Presence& presence : process.presences) node.on_presence(now, presence);
  process.presences.clear();
  for (const Channel channel : kChannels) {
    auto& frames = process.inbox[index_of(channel)];
    if (!accepts[index_of(channel)]) continue;
    while (!frames.empty()) {
      Frame frame = std::move(frames.front());
      frames.pop_front();
      node.on_frame(now, frame);
    }
  }
}

void World::schedule_next(ActorId id) {
  Process& process = *processes_[id];
  for (const Channel channel : kChannels) {
    if (process.inbox[index_of(channel)].empty() || !process.node->accepts(channel)) continue;
    return wake(id, now_);
  }
  if (const auto time = process.node->wake_at()) wake(id, *time);
}

// --- The wires ---

void World::send(ActorId from, Frame frame) {
  if (observer_) observer_->on_sent(now(), from, frame);
  note(from, "sends", frame.topic);
  Process& process = *processes_[from];
  if (frame.channel == Channel::Link) return send_over_link(from, std::move(frame));
  if (process.actor.role == Role::Client) return send_to_forwarder(process, std::move(frame));
  if (process.actor.role == Role::Sidecar) return send_over_link(from, std::move(frame));
  publish(std::move(frame));
}

void World::send_to_forwarder(Process& from, Frame frame) {
  if (!forwarder_ || now_ < from.connected || now_ < from.cut_until) return;
  frame.channel = Channel::Publish;
  travel(*forwarder_, std::move(frame), from.last_sent);
}

void World::publish(Frame frame) {
  frame.channel = Channel::Bus;
  std::optional<ActorId> last;  // a client gets a frame once, however many prefixes match
  for (const Subscription& subscription : subscriptions_) {
    if (last == subscription.client || !frame.topic.starts_with(subscription.topic)) continue;
    Process& process = *processes_[subscription.client];
    if (!process.node || process.life != subscription.life || now_ < process.cut_until) continue;
    last = subscription.client;
    travel(subscription.client, frame, process.last_arrival);
  }
}

/// A frame over PUB/SUB: lost, late, overtaken or doubled as the weather is.
void World::travel(ActorId to, Frame frame, SteadyTime& last) {
  const std::uint64_t life = processes_[to]->life;
  if (!processes_[to]->node || random_.chance(weather_.loss)) {
    return note(to, "loses", frame.topic);
  }
  SteadyTime time = now_ + up_to(weather_.delay);
  if (random_.chance(weather_.reorder)) {
    time += up_to(weather_.late);
  } else {
    last = time = std::max(time, last);
  }
  if (random_.chance(weather_.repeat)) {
    push(time + up_to(weather_.late),
         {.time = {},
          .kind = Item::Kind::Arrive,
          .actor = to,
          .life = life,
          .frame = frame,
          .action = {}});
  }
  push(time,
       {.time = {},
        .kind = Item::Kind::Arrive,
        .actor = to,
        .life = life,
        .frame = std::move(frame),
        .action = {}});
}

void World::send_over_link(ActorId from, Frame frame) {
  const auto to = forwarder_ == from ? sidecar_ : forwarder_;
  if (!to || !processes_[*to]->node || now_ < link_up_) return;
  Process& process = *processes_[*to];
  frame.channel = Channel::Link;
  SteadyTime& last = process.last_arrival;
  last = std::max(last, now_ + up_to(weather_.delay));
  push(last,
       {.time = {},
        .kind = Item::Kind::Arrive,
        .actor = *to,
        .life = process.life,
        .frame = std::move(frame),
        .action = {}});
}

void World::arrive(ActorId id, Frame frame) {
  Process& process = *processes_[id];
  const bool over_link = frame.channel == Channel::Link;
  if (now_ < (over_link ? link_up_ : process.cut_until)) return note(id, "loses", frame.topic);
  if (observer_) observer_->on_given(now(), id, frame);
  note(id, "is given", frame.topic);
  const Channel channel = frame.channel;
  process.inbox[index_of(channel)].push_back(std::move(frame));
  if (process.node->accepts(channel)) wake(id, now_ + up_to(kTurn * 4));
}

// --- Subscriptions ---

void World::connect(ActorId id) {
  Process& process = *processes_[id];
  if (!forwarder_ || !processes_[*forwarder_]->node) return;
  process.connected = now_ + up_to(weather_.connect);
  for (std::string& topic : process.node->subscriptions()) {
    push(now_ + up_to(weather_.connect),
         {.time = {},
          .kind = Item::Kind::Subscribe,
          .actor = id,
          .life = process.life,
          .frame = {.channel = Channel::Bus, .topic = std::move(topic), .body = {}},
          .action = {}});
  }
}

void World::connect_clients() {
  for (ActorId id = 0; id < processes_.size(); ++id) {
    const Process& process = *processes_[id];
    if (process.node && process.actor.role == Role::Client && now_ >= process.cut_until)
      connect(id);
  }
}

void World::cut(ActorId id, Duration duration) {
  Process& process = *processes_[id];
  if (!process.node) return;
  note(id, "is cut off");
  process.cut_until = now_ + duration;
  push(now_ + std::min(duration, up_to(weather_.notice)),
       {.time = {},
        .kind = Item::Kind::Unsubscribe,
        .actor = id,
        .life = process.life,
        .frame = {},
        .action = {}});
  const std::uint64_t life = process.life;
  at(process.cut_until, [this, id, life] {
    const Process& cut_off = *processes_[id];
    if (!cut_off.node || cut_off.life != life || now_ < cut_off.cut_until) return;
    note(id, "is back");
    connect(id);
  });
}

void World::cut_link(Duration duration) {
  link_up_ = std::max(link_up_, now_ + duration);
}

void World::subscribe(ActorId id, std::uint64_t life, const std::string& topic) {
  const Process& process = *processes_[id];
  if (!process.node || process.life != life || now_ < process.cut_until) return;
  if (!processes_[*forwarder_]->node) return;
  const auto same_topic = [&](const Subscription& known) { return known.topic == topic; };
  const bool heard = std::ranges::any_of(subscriptions_, same_topic);
  const auto same = [&](const Subscription& known) {
    return known.topic == topic && known.client == id && known.life == life;
  };
  if (std::ranges::any_of(subscriptions_, same)) return;
  const auto place =
      std::ranges::find_if(subscriptions_, [&](const auto& known) { return known.client > id; });
  subscriptions_.insert(place, {.client = id, .life = life, .topic = topic});
  if (!heard) tell_presence(topic, true);
}

void World::unsubscribe(ActorId id, std::uint64_t life) {
  std::vector<std::string> gone;
  std::erase_if(subscriptions_, [&](const Subscription& known) {
    if (known.client != id || known.life != life) return false;
    gone.push_back(known.topic);
    return true;
  });
  for (const std::string& topic : gone) {
    const auto same_topic = [&](const Subscription& known) { return known.topic == topic; };
    if (std::ranges::none_of(subscriptions_, same_topic)) tell_presence(topic, false);
  }
}

void World::tell_presence(const std::string& topic, bool present) {
  if (!forwarder_ || !processes_[*forwarder_]->node) return;
  note(*forwarder_, present ? "sees" : "misses", topic);
  processes_[*forwarder_]->presences.push_back({.topic = topic, .present = present});
  wake(*forwarder_, now_);
}

}  // namespace conga::testing
