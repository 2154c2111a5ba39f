// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_system.h"

#include "bus/forwarder.h"
#include "common/wire/event/packer.h"
#include "tests/simulation/delivery_checks.h"
#include "tests/simulation/delivery_nodes.h"
#include "tests/simulation/delivery_watch.h"
#include "tests/simulation/sidecar_host.h"
#include "tests/support/loaded_rules.h"
#include "tests/support/world.h"

#include <algorithm>
#include <future>
#include <utility>

namespace conga::simulation {
namespace {

using namespace std::chrono_literals;
using testing::ActorId;
using testing::Crash;
using testing::CrashPoint;
using testing::Death;
using testing::Role;

constexpr Duration kStorm = 6s;
constexpr Duration kLongestCalm = 240s;  ///< Three times max-age, and a bit.
constexpr std::size_t kPublishers = 2;

std::string text_map(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(members.size());
  for (const auto& [key, value] : members) packer.key(key).string(value);
  return bytes;
}

/// Of all dead letters, with or without canaries and a limit to its rate.
std::string redrive_all(Random& random) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(3).key("all").boolean(true);
  packer.key("canaries").unsigned_integer(random.below(3));
  packer.key("rate").unsigned_integer(random.chance(0.5) ? 0 : 1 + random.below(50));
  return bytes;
}

class DeliverySystem {
public:
  DeliverySystem(std::uint64_t seed, const Mutation& mutant);

  DeliveryReport run();

private:
  void add_bus();
  void add_clients();
  void plan_questions();
  void plan_storm();
  void strike();
  void strike_disk();
  void end_storm();
  void sidecar_died(Death death);
  bool is_done() const;
  bool have_started() const;
  void check(DeliveryReport& report, bool done);
  Result<std::unique_ptr<Node>> start_forwarder();

  std::string unique_name(const std::string& name) { return name + "-" + std::to_string(++lives_); }

  const Mutation& mutant_;
  Random chance_;  ///< For the Nodes.
  Log log_ = Log::null();
  SidecarHost host_;
  std::vector<PlannedEvent> events_;
  std::vector<PlannedRules> rules_;  ///< Every set that was ever at work.
  std::size_t rules_now_ = 0;
  ConsumerTrade trade_;
  std::vector<Question> questions_;
  std::vector<ActorId> clients_;
  ActorId forwarder_ = 0;
  ActorId sidecar_ = 0;
  std::uint64_t lives_ = 0;
  std::uint64_t deaths_ = 0;
  bool sidecar_died_ = false;
  std::size_t failed_syncs_ = 0;  ///< As many times the sidecar may end by itself.
  std::unique_ptr<DeliveryWatch> watch_;
  testing::World world_;  ///< Last: its Nodes use all of the above.
};

DeliverySystem::DeliverySystem(std::uint64_t seed, const Mutation& mutant)
    : mutant_(mutant), chance_(~seed), host_(mutant), world_(seed) {
  Random& random = world_.random();
  rules_.push_back(make_rules(random));
  rules_.push_back(change_rules(random, rules_.front()));
  events_ = make_events(random, world_.now(), kStorm, kPublishers);
  for (const PlannedEvent& event : events_) trade_.events[event.id.text()] = &event;
  watch_ = std::make_unique<DeliveryWatch>(events_, rules_);
  world_.watch(*watch_);
  add_bus();
  add_clients();
  watch_->set_sidecar(sidecar_);
  plan_questions();
  plan_storm();
}

// --- The daemons ---

void DeliverySystem::add_bus() {
  forwarder_ = world_.add({.name = "bus",
                           .role = Role::Forwarder,
                           .start = [this](const Time&) { return start_forwarder(); },
                           .died = [this](Death) { ++deaths_; }});
  sidecar_ =
      world_.add({.name = "sidecar",
                  .role = Role::Sidecar,
                  .start = [this](const Time& now) { return host_.start(now, chance_, log_); },
                  .died = [this](Death death) { sidecar_died(death); }});
}

Result<std::unique_ptr<Node>> DeliverySystem::start_forwarder() {
  const auto load = [this] {
    const std::vector<bus::RuleFile> files{
        {.name = "rules.yaml", .text = to_yaml(rules_[rules_now_])}};
    return bus::RuleSet::parse(files);
  };
  auto rules = load();
  if (!rules) return rules.failure();
  bus::ForwarderOptions options;
  options.boot = chance_.bits() | 1U;
  const auto reload = [load] { return std::async(std::launch::deferred, load); };
  std::unique_ptr<Node> node = std::make_unique<bus::Forwarder>(
      options, std::move(*rules), std::make_unique<bus::testing::LoadedRules>(reload), log_);
  if (mutant_.forwarder) node = mutant_.forwarder(std::move(node));
  return node;
}

void DeliverySystem::sidecar_died(Death death) {
  ++deaths_;
  sidecar_died_ = true;
  host_.on_death(death, world_.random());
}

void DeliverySystem::add_clients() {
  Random& random = world_.random();
  const auto add = [this](const std::string& name,
                          std::function<Result<std::unique_ptr<Node>>(const Time&)> start) {
    clients_.push_back(world_.add(
        {.name = name, .role = Role::Client, .start = std::move(start), .died = [this](Death) {
           ++deaths_;
         }}));
  };
  for (std::size_t number = 0; number < kPublishers; ++number) {
    add("publisher", [this, number](const Time&) -> Result<std::unique_ptr<Node>> {
      return std::make_unique<EventPublisher>(
          unique_name("publisher"), chance_.bits(), number, events_);
    });
  }
  for (const char* service : {"alpha", "beta", "gamma"}) {
    const std::uint64_t instances = 1 + random.below(3);
    for (std::uint64_t each = 0; each < instances; ++each) {
      add(service, [this, service](const Time&) -> Result<std::unique_ptr<Node>> {
        return std::make_unique<Consumer>(
            Consumer::Options{.service = service,
                              .instance = unique_name(service),
                              .nonce = chance_.bits(),
                              .credit = static_cast<std::uint32_t>(1 + chance_.below(4))},
            trade_,
            chance_);
      });
    }
  }
  add("operator", [this](const Time&) -> Result<std::unique_ptr<Node>> {
    return std::make_unique<Operator>(unique_name("operator"), chance_.bits(), questions_);
  });
}

// --- The storm ---

void DeliverySystem::plan_questions() {
  Random& random = world_.random();
  const SteadyTime start = world_.now().steady;
  const auto any_time = [&] {
    return start + Duration(random.below(static_cast<std::uint64_t>(Duration(kStorm).count())));
  };
  for (const char* service : {"alpha", "beta", "gamma"}) {
    if (!random.chance(0.3)) continue;
    const std::string which = text_map({{"target", service}});
    questions_.push_back({.at = any_time(), .verb = "target.pause", .arguments = which});
    questions_.push_back({.at = start + kStorm, .verb = "target.resume", .arguments = which});
  }
  if (random.chance(0.5)) {
    questions_.push_back(
        {.at = any_time(), .verb = "dlq.redrive", .arguments = redrive_all(random)});
  }
  if (random.chance(0.5)) {
    const SteadyTime when = any_time();
    world_.at(when, [this] { rules_now_ = 1; });
    // What comes while a new target catches up is the hardest to keep in order.
    for (PlannedEvent& event : events_) {
      if (random.chance(0.4)) event.at = when + Duration(random.below(200'000));
    }
    questions_.push_back({.at = when, .verb = "rules.reload", .arguments = text_map({})});
  }
}

void DeliverySystem::plan_storm() {
  Random& random = world_.random();
  trade_.moods = {.retry = random.unit() * 0.3,
                  .delay = 0.3,
                  .silent = random.unit() * 0.1,
                  .slow = random.unit() * 0.3,
                  .die = random.unit() * 0.05};
  world_.set_weather({.loss = random.unit() * 0.1,
                      .repeat = random.unit() * 0.1,
                      .reorder = random.unit() * 0.2,
                      .late = Duration(random.below(500'000)),
                      .notice = Duration(random.below(1'500'000))});
  const std::uint64_t strikes = 2 + random.below(12);
  const SteadyTime start = world_.now().steady;
  for (std::uint64_t each = 0; each < strikes; ++each) {
    const auto when = static_cast<std::uint64_t>(Duration(kStorm).count());
    world_.at(start + Duration(random.below(when)), [this] { strike(); });
  }
  world_.at(start + kStorm, [this] { end_storm(); });
}

void DeliverySystem::end_storm() {
  trade_.moods = {};
  world_.set_weather({});
  host_.disk().set_capacity(std::nullopt);
}

void DeliverySystem::strike() {
  Random& random = world_.random();
  const ActorId client = clients_[random.below(clients_.size())];
  switch (random.below(10)) {
    case 8:
      return world_.cut_link(Duration(random.below(2'000'000)));
    case 9:
      return world_.jump_wall_clock(Duration(random.below(7'200'000'000)) - 1h);
    case 0:
      return world_.crash(forwarder_, any_crash(world_.random()));
    case 1:
    case 2:
      if (random.chance(0.3)) host_.flip_at_next_start();
      return world_.crash(sidecar_, any_crash(world_.random()));
    case 3:
    case 4:
      return world_.crash(client, any_crash(world_.random()));
    case 5:
      return world_.cut(client, Duration(random.below(3'000'000)));
    default:
      return strike_disk();
  }
}

void DeliverySystem::strike_disk() {
  Random& random = world_.random();
  switch (random.below(4)) {
    case 0:
      host_.watch().dies_at_sync = true;
      return;
    case 1:
      host_.watch().dies_after_sync = true;
      return;
    case 2:
      host_.disk().set_capacity(host_.disk().used());
      world_.at(world_.now().steady + 1500ms, [this] { host_.disk().set_capacity(std::nullopt); });
      return;
    default:
      ++failed_syncs_;
      host_.disk().fail_sync();
  }
}

// --- The end ---

bool DeliverySystem::is_done() const {
  // While the journal is being read, what is owed is not known.
  if (!world_.is_up(sidecar_)) return false;
  const auto answered = [](const auto& each) { return each.answered; };
  return host_.watch().owed.empty() && have_started() && std::ranges::all_of(events_, answered)
         && std::ranges::all_of(questions_, answered) && host_.all_announced();
}

/// All targets that begin in the past have caught up.
bool DeliverySystem::have_started() const {
  if (rules_now_ == 0) return true;
  return std::ranges::all_of(late_targets(rules_[rules_now_]),
                             [this](const auto& late) { return host_.has_started(late.first); });
}

DeliveryReport DeliverySystem::run() {
  DeliveryReport report;
  const SteadyTime start = world_.now().steady;
  world_.run_until(start + kStorm);
  const bool done = world_.run_until(start + kStorm + kLongestCalm, [this] { return is_done(); });
  report.fingerprint = world_.fingerprint();
  report.deaths = deaths_;
  check(report, done);
  return report;
}

void DeliverySystem::check(DeliveryReport& report, bool done) {
  report.violations = watch_->violations();
  report.violations.insert(
      report.violations.end(), host_.violations().begin(), host_.violations().end());
  if (world_.failures().size() > failed_syncs_) {
    for (const std::string& failure : world_.failures()) {
      report.violations.push_back("a daemon failed: " + failure);
    }
  }
  if (!done) {
    report.violations.push_back("not done in time: " + std::to_string(host_.watch().owed.size())
                                + " deliveries are owed");
  }
  const bool sidecar_died = sidecar_died_;
  world_.crash(sidecar_, {.point = CrashPoint::BetweenTurns, .death = Death::Kill, .down = 1h});

  const DeliveryBooks books{.events = events_,
                            .rules = rules_,
                            .last_rules_work = rules_now_ == 1,
                            .acknowledged = watch_->acknowledged(),
                            .unrecorded = host_.watch().unrecorded,
                            .said_ok = watch_->said_ok(),
                            .sidecar_died = sidecar_died,
                            .settled = watch_->settled()};
  const auto letters = host_.open_letters();
  check_reasons(*letters, books, report);
  const auto journal = host_.open_journal(world_.now().wall);
  if (!journal) {
    report.violations.push_back("the journal does not open: " + journal.error().what);
  } else {
    check_deliveries(**journal, *letters, books, report);
    const std::string archive = SidecarHost::archive_directory(kArchive);
    check_archive(**journal, host_.disk(), archive, books, report);
  }
}

}  // namespace

DeliveryReport simulate_delivery(std::uint64_t seed, const Mutation& mutant) {
  return DeliverySystem(seed, mutant).run();
}

}  // namespace conga::simulation
