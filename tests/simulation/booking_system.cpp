// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/booking_system.h"

#include "bus/forwarder.h"
#include "common/core/check.h"
#include "services/booking/booking.h"
#include "services/kit/service_node.h"
#include "services/notification/notification.h"
#include "services/payment/payment.h"
#include "services/payment/test_acquirer.h"
#include "services/seating/seating.h"
#include "services/ticketing/ticketing.h"
#include "tests/simulation/customers.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/mutants.h"
#include "tests/simulation/rules_text.h"
#include "tests/simulation/sidecar_host.h"
#include "tests/simulation/tally.h"
#include "tests/simulation/wire_watch.h"
#include "tests/support/loaded_rules.h"
#include "tests/support/world.h"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace conga::simulation {
namespace {

using namespace std::chrono_literals;
using testing::ActorId;
using testing::Crash;
using testing::CrashPoint;
using testing::Death;
using testing::Role;
using testing::World;

constexpr Duration kStorm = 6s;
/// An expectation whose end overtook it just before a crash ends when it is due
/// (config/rules.yaml).
constexpr Duration kLongestCalm = 5min + 120s;
constexpr Duration kExpireAfter = 40s;

booking::BookingOptions booking_options() {
  const contract::Money fare{.amount = kFare, .currency = "EUR"};
  return {.flights = {{"LH123", {.route = {}, .fares = {{"economy", fare}}}},
                      {"LX41", {.route = {}, .fares = {{"business", fare}}}}},
          .expire_after = kExpireAfter};
}

/// A service with its handlers, as one Node.
class Hosted final : public NodeWrapper {
public:
  Hosted(std::unique_ptr<kit::Handlers> handlers,
         std::unique_ptr<kit::EffectRunner> effects,
         std::unique_ptr<Node> node)
      : NodeWrapper(nullptr), handlers_(std::move(handlers)), effects_(std::move(effects)) {
    inner_ = std::move(node);
  }

  ~Hosted() override { inner_.reset(); }  // it uses the handlers

private:
  std::unique_ptr<kit::Handlers> handlers_;
  std::unique_ptr<kit::EffectRunner> effects_;
};

/// Charges, and sometimes the process dies before it hears the answer.
class DeadlyAcquirer final : public payment::Acquirer {
public:
  explicit DeadlyAcquirer(kit::Database& books) : inner_(books) {
    CONGA_CHECK(inner_.migrate().has_value(), "the acquirer has its tables");
  }

  Result<payment::Authorisation> authorise(const std::string& key,
                                           const std::string& card,
                                           const contract::Money& amount) override {
    return perhaps_dying(inner_.authorise(key, card, amount));
  }

  Result<payment::Capture> capture(const std::string& key,
                                   const std::string& payment_id,
                                   const contract::Money& amount) override {
    return perhaps_dying(inner_.capture(key, payment_id, amount));
  }

  Result<payment::Reversal> reverse(const std::string& key,
                                    const std::string& authorise_key) override {
    return perhaps_dying(inner_.reverse(key, authorise_key));
  }

  bool dies = false;  ///< After the next call.

private:
  template <class Answer>
  Answer perhaps_dying(Answer answer) {
    if (std::exchange(dies, false)) throw testing::CrashNow();
    return answer;
  }

  payment::TestAcquirer inner_;
};

/// A mail server or SMS gateway that is out of order now and then.
class FlakyCarrier final : public notification::Carrier {
public:
  explicit FlakyCarrier(Random& chance) : chance_(chance) {}

  Result<> deliver(const notification::Parcel& parcel) override {
    const bool is_new = tried_.insert(parcel.key).second;
    if (!is_new && parcel.attempt == notification::Attempt::First) {
      violations.push_back(parcel.key + ": is sent again as if it had never been");
    }
    if (chance_.chance(0.1)) return fail(Fault::Transient, "out of order", "Unavailable");
    return {};
  }

  std::vector<std::string> violations;

private:
  Random& chance_;
  std::set<std::string> tried_;
};

const notification::Templates& templates() {
  static const notification::Templates kTemplates = [] {
    auto loaded = notification::Templates::load(CONGA_TEMPLATES);
    CONGA_CHECK(loaded.has_value(), "config/notification can be read");
    return std::move(*loaded);
  }();
  return kTemplates;
}

seating::Fleet make_fleet() {
  seating::Fleet fleet;
  fleet["LH123"].sections.push_back(
      {.cabin = "economy", .first_row = 5, .last_row = 15, .letters = "ABC DEF"});
  fleet["LX41"].sections.push_back(
      {.cabin = "business", .first_row = 1, .last_row = 1, .letters = "A C"});
  return fleet;
}

class System {
public:
  System(std::uint64_t seed, Mutant mutant, std::size_t requests);

  Report run();

private:
  using MakeHandlers = std::function<std::unique_ptr<kit::Handlers>(kit::Database&)>;

  struct Host {
    std::string name;
    MakeHandlers make;
    std::unique_ptr<kit::Database> database = kit::Database::in_memory();
    std::set<std::string> put;  ///< For a mutant.
  };

  void add_bus();
  void add_services();
  void add_service(Host& host);
  void add_customers();
  Result<std::unique_ptr<Node>> start_forwarder();
  Result<std::unique_ptr<Node>> start_sidecar(const Time& now);
  Result<std::unique_ptr<Node>> start_service(Host& host);
  void sidecar_died(Death death);
  void plan_storm();
  void strike();
  void strike_sidecar();
  void jump_clock(Duration jump);
  bool is_done();
  void check(Report& report, bool done);
  std::string unique_name(const std::string& name);

  Mutant mutant_;
  Random chance_;  ///< For the Nodes.
  Log log_ = Log::null();
  WireWatch wire_{kAckTimeout, kHeartbeatTimeout};

  SidecarHost host_;
  std::map<std::string, Host> hosts_;
  std::unique_ptr<kit::Database> acquirer_books_ = kit::Database::in_memory();
  DeadlyAcquirer acquirer_{*acquirer_books_};
  FlakyCarrier email_{chance_};
  FlakyCarrier sms_{chance_};
  std::vector<Request> requests_;
  std::vector<ActorId> clients_;
  ActorId forwarder_ = 0;
  ActorId sidecar_ = 0;
  std::uint64_t lives_ = 0;
  std::uint64_t deaths_ = 0;
  Duration clock_is_off_{};
  Duration clock_was_off_{};  ///< At most.
  bool clock_jumped_ = false;
  World world_;  ///< Last: its Nodes use all of the above.
};

System::System(std::uint64_t seed, Mutant mutant, std::size_t requests)
    : mutant_(mutant), chance_(~seed), world_(seed) {
  host_.watch().lies = mutant == Mutant::AckBeforeSync;
  requests_ = make_requests(world_.random(), world_.now(), kStorm, requests);
  world_.watch(wire_);
  add_bus();
  add_services();
  add_customers();
  wire_.set_sidecar(sidecar_);
  plan_storm();
}

std::string System::unique_name(const std::string& name) {
  return name + "-" + std::to_string(++lives_);
}

// --- The daemons ---

void System::add_bus() {
  forwarder_ = world_.add({.name = "bus",
                           .role = Role::Forwarder,
                           .start = [this](const Time&) { return start_forwarder(); },
                           .died = [this](Death) { ++deaths_; }});
  sidecar_ = world_.add({.name = "sidecar",
                         .role = Role::Sidecar,
                         .start = [this](const Time& now) { return start_sidecar(now); },
                         .died = [this](Death death) { sidecar_died(death); }});
}

Result<std::unique_ptr<Node>> System::start_forwarder() {
  const std::vector<bus::RuleFile> files{{.name = "rules.yaml", .text = rules_text()}};
  auto rules = bus::RuleSet::parse(files);
  if (!rules) return rules.failure();
  bus::ForwarderOptions options;
  options.boot = chance_.bits() | 1U;
  const auto load = [files] {
    return std::async(std::launch::deferred, [files] { return bus::RuleSet::parse(files); });
  };
  return std::make_unique<bus::Forwarder>(
      options, std::move(*rules), std::make_unique<bus::testing::LoadedRules>(load), log_);
}

Result<std::unique_ptr<Node>> System::start_sidecar(const Time& now) {
  auto node = host_.start(now, chance_, log_);
  if (node && mutant_ == Mutant::CreditIgnored) return without_credit(std::move(*node));
  return node;
}

void System::sidecar_died(Death death) {
  ++deaths_;
  host_.on_death(death, world_.random());
}

void System::add_services() {
  const std::map<std::string, MakeHandlers> services{
      {"booking",
       [](kit::Database& database) {
         return std::make_unique<booking::Booking>(database, booking_options());
       }},
      {"payment",
       [this](kit::Database& database) {
         return std::make_unique<payment::Payment>(database, acquirer_);
       }},
      {"seating",
       [](kit::Database& database) {
         return std::make_unique<seating::Seating>(database, make_fleet());
       }},
      {"ticketing",
       [](kit::Database& database) {
         return std::make_unique<ticketing::Ticketing>(database, ticketing::Airline{.code = 220});
       }},
      {"notification", [this](kit::Database& database) {
         return std::make_unique<notification::Notification>(
             database,
             notification::Office{.templates = templates(),
                                  .email = email_,
                                  .sms = sms_,
                                  .from = "bookings@airline.example"});
       }}};
  for (const auto& service : services) {
    Host& host = hosts_[service.first];
    host.name = service.first;
    host.make = service.second;
    add_service(host);
    if (world_.random().chance(0.2)) add_service(host);  // a second instance on the same database
  }
}

void System::add_service(Host& host) {
  clients_.push_back(
      world_.add({.name = host.name,
                  .role = Role::Client,
                  .start = [this, &host](const Time&) { return start_service(host); },
                  .died = [this](Death) { ++deaths_; }}));
}

Result<std::unique_ptr<Node>> System::start_service(Host& host) {
  kit::ServiceOptions options;
  options.service = host.name;
  options.instance = unique_name(host.name);
  options.nonce = chance_.bits();
  options.subscriber.credit = static_cast<std::uint32_t>(1 + chance_.below(4));
  std::unique_ptr<kit::Handlers> handlers =
      std::make_unique<TalliedHandlers>(host.make(*host.database), *host.database);
  auto effects = kit::inline_effects(*handlers);
  auto opened =
      kit::ServiceNode::open(std::move(options), *handlers, *effects, *host.database, log_);
  if (!opened) return opened.failure();
  std::unique_ptr<Node> node = std::move(*opened);
  if (mutant_ == Mutant::NoInbox) node = without_inbox(std::move(node), *host.database);
  if (mutant_ == Mutant::NoResend) node = without_resend(std::move(node), host.put);
  if (mutant_ == Mutant::SettleBeforeCommit) node = settling_early(std::move(node));
  return std::make_unique<Hosted>(std::move(handlers), std::move(effects), std::move(node));
}

void System::add_customers() {
  clients_.push_back(world_.add({.name = "customers",
                                 .role = Role::Client,
                                 .start = [this](const Time&) -> Result<std::unique_ptr<Node>> {
                                   return std::make_unique<Customers>(
                                       unique_name("customers"), chance_.bits(), requests_);
                                 },
                                 .died = [this](Death) { ++deaths_; }}));
}

// --- The storm ---

void System::plan_storm() {
  Random& random = world_.random();
  world_.set_weather({.loss = random.unit() * 0.1,
                      .repeat = random.unit() * 0.1,
                      .reorder = random.unit() * 0.2,
                      .late = Duration(random.below(500'000)),
                      .notice = Duration(random.below(1'500'000))});
  const std::uint64_t strikes = 2 + random.below(10);
  const SteadyTime start = world_.now().steady;
  for (std::uint64_t each = 0; each < strikes; ++each) {
    const auto when = static_cast<std::uint64_t>(Duration(kStorm).count());
    world_.at(start + Duration(random.below(when)), [this] { strike(); });
  }
  world_.at(start + kStorm, [this] {
    world_.set_weather({});
    // Timers that were set by a clock that was ahead come when they should.
    world_.jump_wall_clock(clock_was_off_ - clock_is_off_);
    host_.disk().set_capacity(std::nullopt);
  });
}

void System::strike() {
  Random& random = world_.random();
  const ActorId client = clients_[random.below(clients_.size())];
  switch (random.below(8)) {
    case 0:
      return world_.crash(forwarder_, any_crash(world_.random()));
    case 1:
    case 2:
      return strike_sidecar();
    case 3:
    case 4:
    case 5:
      return world_.crash(client, any_crash(world_.random()));
    case 6:
      return world_.cut(client, Duration(random.below(3'000'000)));
    default:
      acquirer_.dies = true;
      return;
  }
}

void System::jump_clock(Duration jump) {
  clock_is_off_ += jump;
  clock_was_off_ = std::max(clock_was_off_, clock_is_off_);
  clock_jumped_ = true;
  world_.jump_wall_clock(jump);
}

void System::strike_sidecar() {
  Random& random = world_.random();
  switch (random.below(6)) {
    case 0:
      host_.watch().dies_at_sync = true;
      return;
    case 1:
      host_.watch().dies_after_sync = true;
      return;
    case 2:
      return jump_clock(Duration(random.below(7'200'000'000)) - 1h);
    case 3:
      host_.disk().set_capacity(host_.disk().used());
      world_.at(world_.now().steady + 1500ms, [this] { host_.disk().set_capacity(std::nullopt); });
      return;
    default:
      return world_.crash(sidecar_, any_crash(world_.random()));
  }
}

// --- The end ---

bool System::is_done() {
  // While the journal is being read, what is owed is not known.
  if (!world_.is_up(sidecar_)) return false;
  if (!host_.watch().owed.empty()) return false;
  for (const Request& request : requests_) {
    if (!request.answered) return false;
  }
  for (auto& host : hosts_) {
    const auto row =
        host.second.database->one("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM timers LIMIT 1");
    if (!row || row->has_value()) return false;
  }
  return true;
}

Report System::run() {
  Report report;
  const SteadyTime start = world_.now().steady;
  world_.run_until(start + kStorm);
  const bool done = world_.run_until(start + kStorm + kLongestCalm, [this] { return is_done(); });
  report.time = world_.now().steady - start;
  report.fingerprint = world_.fingerprint();
  report.turns = world_.turns();
  report.deaths = deaths_;
  check(report, done);
  return report;
}

void System::check(Report& report, bool done) {
  report.violations = wire_.violations();
  for (const FlakyCarrier* carrier : {&email_, &sms_}) {
    report.violations.insert(
        report.violations.end(), carrier->violations.begin(), carrier->violations.end());
  }
  for (const std::string& failure : world_.failures()) {
    report.violations.push_back("a daemon failed: " + failure);
  }
  if (!done) {
    report.violations.push_back("not done in time: " + std::to_string(host_.watch().owed.size())
                                + " deliveries are owed");
  }
  world_.crash(sidecar_, {.point = CrashPoint::BetweenTurns, .death = Death::Kill, .down = 1h});

  const auto journal = host_.open_journal(world_.now().wall);
  if (!journal) {
    report.violations.push_back("the journal does not open: " + journal.error().what);
  } else {
    check_journal(**journal, wire_.acknowledged(), host_.watch().unrecorded, report);
  }
  const auto letters = host_.open_letters();
  check_dead_letters(*letters, requests_, report);
  check_bookings({.booking = *hosts_.at("booking").database,
                  .payment = *hosts_.at("payment").database,
                  .acquirer = *acquirer_books_,
                  .seating = *hosts_.at("seating").database,
                  .ticketing = *hosts_.at("ticketing").database,
                  .notification = *hosts_.at("notification").database,
                  .clock_jumped = clock_jumped_},
                 requests_,
                 report);
  for (const auto& [name, host] : hosts_) check_tally(*host.database, name, report);
}

}  // namespace

Report simulate(std::uint64_t seed, Mutant mutant, std::size_t requests) {
  return System(seed, mutant, requests).run();
}

}  // namespace conga::simulation
