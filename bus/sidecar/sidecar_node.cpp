// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar_node.h"

#include "bus/sidecar/answers.h"
#include "bus/sidecar/archives.h"
#include "bus/sidecar/catch_ups.h"
#include "bus/sidecar/event_bodies.h"
#include "bus/sidecar/expectations.h"
#include "bus/sidecar/letter_news.h"
#include "bus/sidecar/link.h"
#include "bus/sidecar/operator_desk.h"
#include "bus/sidecar/ordering.h"
#include "bus/sidecar/outbox.h"
#include "bus/sidecar/own_events.h"
#include "bus/sidecar/pseudo_targets.h"
#include "bus/sidecar/routed_targets.h"
#include "bus/sidecar/sidecar_metrics.h"
#include "common/wire/event/event.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::string_view kNobody = "-";  ///< Rule and target of a loop that matched nothing.
constexpr Duration kBuryAgain = std::chrono::seconds(1);
constexpr std::size_t kMostUnburied = 10'000;
constexpr std::size_t kTopicShown = 100;
constexpr Duration kUpkeepInterval = std::chrono::milliseconds(100);

/// The trace index gets a step now and then, for a step of few records costs as much as one of
/// many. Above so many events in an upkeep interval it lets its backlog grow, and catches up later.
constexpr std::uint64_t kLoaded = 2000;
constexpr Duration kFollowPause = std::chrono::milliseconds(20);

/// A delivery that was given up, on its way into the dead letters.
struct Burial {
  DeadLettered dead;
  TargetName target;
  std::string service;
  bool journalled = true;  ///< The journal owes the delivery and must be told that it ended.
  bool delayed = false;    ///< Could not be stored when it was first tried.
};

SettledRecord to_record(const Burial& burial, WallTime now) {
  const DeadLettered& dead = burial.dead;
  return {.sequence = dead.event.sequence,
          .target = burial.target,
          .ending = Ending::DeadLetter,
          .attempts = dead.attempts,
          .instance = dead.instance,
          .first_attempt = dead.first_attempt.value_or(WallTime()),
          .last_attempt = dead.last_attempt.value_or(WallTime()),
          .at = now,
          .code = dead.code,
          .message = dead.message};
}

DeadLetter to_letter(const Burial& burial, std::string_view event, WallTime now) {
  const DeadLettered& dead = burial.dead;
  DeadLetter letter;
  letter.sequence = dead.event.sequence;
  letter.target = burial.target;
  letter.service = burial.service;
  letter.error_code = dead.code;
  letter.error_message = dead.message;
  letter.exhausted_retry_condition = dead.condition;
  letter.retry_attempts = dead.attempts > 0 ? dead.attempts - 1 : 0;
  letter.first_attempt = dead.first_attempt;
  letter.last_attempt = dead.last_attempt;
  letter.at = now;
  letter.event = event;
  const auto view = read_event(event);
  if (!view) return letter;
  letter.event_id = view->id.text();
  letter.source = view->source;
  letter.detail_type = view->detail_type;
  letter.correlation_id = view->correlation_id;
  return letter;
}

/// What waits for a commit.
struct Held {
  std::vector<Frame> frames;
  Sequence events_end = 1;     ///< Those below are durable then.
  std::uint64_t accepted = 0;  ///< As State::accepted.
  std::uint64_t syncs = 0;     ///< Of the store, before it.
  SteadyTime began;
};

}  // namespace

struct SidecarNode::State final : RecoveryVisitor {
  State(const Time& start, SidecarOptions given, Random& random, Log& daemon_log);

  Result<> open(const SidecarStores& stores);
  Result<> open_extras(const SidecarStores& stores);
  Result<> open_started();

  // RecoveryVisitor
  void on_recent_event(std::string_view event_bytes, WallTime ingested) override;
  void on_pending(const PendingDelivery& delivery) override;

  // What comes over the link.
  void on_table(const Time& at, const Frame& frame);
  void on_routed(const Time& at, Frame& frame);
  void drop(const LinkRouted& batch);
  void on_routed_event(const Time& at,
                       const RoutedEvent& event,
                       RoutedTargets::Meaning& whom,
                       std::string& results);
  Result<EventRef> to_journal(const Time& at,
                              const RoutedEvent& event,
                              RoutedTargets::Meaning& whom);
  void take_on(const Time& at,
               const EventRef& ref,
               const RoutedEvent& event,
               const RoutedTargets::Meaning& whom);
  void bury_loop(const EventRef& ref, std::span<const TargetId> targets);
  void on_instance(const Time& at, const Frame& frame, const Topic& topic);
  void on_settlements(const Time& at, const Frame& frame, const Topic& topic);
  void on_gone(const Time& at, const Frame& frame);
  void on_matched(const Time& at, const Frame& frame);
  void malformed(const Time& at, const Frame& frame, std::string_view what);

  // Questions.
  void on_asks(const Time& at, const Frame& frame, const Topic& topic);
  void on_ask(const Time& at, const std::string& client, const AskView& ask);
  Result<std::string> status(const Time& at);
  Result<Sequence> redrive(const Time& at, const DeadLetter& letter);

  // The turn.
  void send_deliveries(const Time& at, std::vector<Frame>& out);
  bool send_delivery(const Dispatch& dispatch, std::size_t& sent);
  void collect_burials();
  Result<> bury(const Time& at);
  Result<bool> bury_one(const Time& at, Burial& burial);
  Result<bool> await_commit(std::vector<Frame>& out);
  Result<> commit(const Time& at, std::vector<Frame>& out);
  void end_commit(std::vector<Frame>& out);
  Result<bool> begin_sync();
  StatusFacts facts(const Time& at, std::uint64_t dead) const;
  Result<> record(const Time& at);
  Result<> upkeep(const Time& at);
  Result<> catch_up(const Time& at, std::vector<Frame>& out);
  void follow(const Time& at);
  void heartbeat(const Time& at, std::vector<Frame>& out);
  OrderingKey key_of(const EventRef& event, const std::string& pointer) const;

  SidecarOptions options;
  Log& log;
  Time now;  ///< Of this turn; of recovery before the first.
  const SteadyTime started;
  const std::uint64_t boot;

  std::unique_ptr<EventStore> store;
  std::unique_ptr<DeadLetters> letters;
  std::unique_ptr<TraceSource> traces;
  std::unique_ptr<PausedTargets> paused;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<EventBodies> bodies;
  RecentIds recent;
  DeliveryEngine engine;
  OwnEvents own_events;
  std::unique_ptr<Expectations> expectations;
  std::unique_ptr<Archives> archives;
  std::unique_ptr<RoutedTargets> routed_targets;
  CatchUps catch_ups;
  std::unique_ptr<LetterNews> news;
  std::unique_ptr<OperatorDesk> desk;
  Outbox outbox;      ///< Waits for the turn's commit.
  Outbox deliveries;  ///< Does not.
  SidecarCounters counters;
  LetterCountsByTarget letter_counts;
  LatencyCounts syncs;

  std::uint64_t forwarder_boot = 0;
  std::uint64_t generation = 0;
  std::uint64_t accepted = 0;
  std::uint64_t stranger_boot = 0;  ///< Of a forwarder whose table has not come yet.
  std::uint64_t stranger_accepted = 0;
  std::vector<TargetName> named;           ///< Kept for its memory.
  std::vector<PendingDelivery> owed_here;  ///< During recovery: to pseudo targets.
  const SidecarStores* opening = nullptr;  ///< Until open_started() took what it needs of it.
  std::pair<std::string, std::string>
      deliver_to;            ///< Service and instance of the latest delivery …
  std::string deliver_over;  ///< … and its topic.
  std::vector<Settled> settled;
  std::vector<Retry> retries;
  std::deque<Burial> burials;
  std::vector<SettledRecord> buried;  ///< In the dead letters, not yet in the journal.
  SteadyTime bury_after;
  SteadyTime next_alive;
  SteadyTime next_upkeep;
  SteadyTime next_follow;
  SteadyTime load_since;        ///< When `load_from` was read.
  std::uint64_t load_from = 0;  ///< Of counters.accepted.
  bool loaded = false;
  bool alive_due = true;
  bool more = false;                   ///< This turn left work behind.
  bool busy = false;                   ///< Frames came in this turn.
  std::optional<Held> held;            ///< A commit is under way.
  bool committed = false;              ///< One has ended in this turn.
  std::uint64_t durably_accepted = 0;  ///< As `accepted`, at the commit that ended last.
  std::uint64_t told_accepted = 0;     ///< The forwarder.
  std::optional<SteadyTime> draining_until;
  std::optional<Error> fatal;
};

SidecarNode::State::State(const Time& start, SidecarOptions given, Random& random, Log& daemon_log)
    : options(given),
      log(daemon_log),
      now(start),
      started(start.steady),
      boot(random.bits() | 1U),
      recent(given.dedup),
      engine(
          given.engine,
          static_cast<std::uint32_t>(random.bits()),
          [this](const EventRef& event, const std::string& pointer) {
            return key_of(event, pointer);
          },
          random),
      own_events(daemon_log),
      catch_ups(given.catch_up_size, engine, daemon_log),
      outbox(given.frame_size),
      deliveries(given.frame_size),
      bury_after(start.steady),
      next_alive(start.steady),
      next_upkeep(start.steady),
      next_follow(start.steady),
      load_since(start.steady) {}

Result<> SidecarNode::State::open(const SidecarStores& stores) {
  opening = &stores;
  auto events = stores.open_events(*this);
  if (!events) return events.failure();
  store = std::move(*events);
  if (auto opened = open_started(); !opened && !fatal) fatal = opened.error();
  if (fatal) return tl::unexpected<Error>(*fatal);
  catch_ups.set_store(now, *store);
  bodies = std::make_unique<EventBodies>(*store, options.cache_size);
  expectations = std::make_unique<Expectations>(*bodies, own_events, options.most_expectations);
  archives = std::make_unique<Archives>(*bodies, stores.open_archive, log);
  routed_targets = std::make_unique<RoutedTargets>(engine, *expectations, *archives);
  archives->set_durable(store->stats().next_sequence);
  engine.set_durable(store->stats().next_sequence);
  for (const PendingDelivery& delivery : owed_here) {
    const bool archive = delivery.target.target == kArchiveTarget;
    archive ? archives->recover(delivery) : expectations->recover(delivery);
  }
  owed_here = {};
  auto dead_letters = stores.open_dead_letters();
  if (!dead_letters) return dead_letters.failure();
  letters = std::move(*dead_letters);
  news = std::make_unique<LetterNews>(*letters, own_events);
  if (auto opened = open_extras(stores); !opened) return opened;
  desk = std::make_unique<OperatorDesk>(
      OperatorStores{.events = *store,
                     .letters = *letters,
                     .traces = traces.get(),
                     .paused = paused.get(),
                     .audit = audit.get()},
      engine,
      [this](const DeadLetter& letter) { return redrive(now, letter); },
      [this](const std::string& client, const std::string& body) {
        outbox.body_for(answer_topic(client)) += body;
      },
      log);
  return {};
}

/// Called when the journal is locked: nobody else writes to the file.
Result<> SidecarNode::State::open_started() {
  const SidecarStores* const stores = std::exchange(opening, nullptr);
  if (stores == nullptr || !stores->open_started) return {};
  auto book = stores->open_started();
  if (!book) return book.failure();
  catch_ups.set_book(std::move(*book));
  return {};
}

/// What a sidecar can do without.
Result<> SidecarNode::State::open_extras(const SidecarStores& stores) {
  if (stores.open_paused) {
    auto opened = stores.open_paused();
    if (!opened) return opened.failure();
    paused = std::move(*opened);
    for (const TargetName& name : paused->names()) engine.set_paused(now, name, true);
  }
  if (stores.open_audit) {
    auto opened = stores.open_audit();
    if (!opened) return opened.failure();
    audit = std::move(*opened);
  }
  if (!stores.open_traces) return {};
  auto index = stores.open_traces();
  if (!index) return index.failure();
  traces = std::move(*index);
  return {};
}

// --- Recovery ---

void SidecarNode::State::on_recent_event(std::string_view event_bytes, WallTime ingested) {
  // The bytes were checked when the event came, and the journal's CRC says that they are the same.
  const auto found = event_bytes.empty() ? std::nullopt : Value::trusted(event_bytes).find("id");
  const auto text = found ? found->string() : std::nullopt;
  const auto id = text ? Uuid::parse(*text) : std::nullopt;
  if (id) recent.insert(*id, now.steady - std::max(now.wall - ingested, Duration(0)));
}

void SidecarNode::State::on_pending(const PendingDelivery& delivery) {
  if (auto opened = open_started(); !opened) fatal = opened.error();
  if (is_pseudo_target(delivery.target.target)) {
    owed_here.push_back(delivery);
    return;
  }
  if (!catch_ups.recover(now, delivery)) engine.recover(now, delivery);
}

// --- What comes over the link ---

void SidecarNode::State::malformed(const Time& at, const Frame& frame, std::string_view what) {
  ++counters.malformed;
  log.complain(at,
               "malformed",
               "a frame was refused",
               {{"topic", frame.topic.substr(0, kTopicShown)}, {"why", what}});
}

void SidecarNode::State::on_table(const Time& at, const Frame& frame) {
  const auto table = read_table(frame.body);
  if (!table) {
    malformed(at, frame, table.error().what);
    return;
  }
  alive_due = true;
  const bool same_boot = table->boot == forwarder_boot;
  if (same_boot && table->generation <= generation) return;
  if (!same_boot) {
    accepted = table->boot == stranger_boot ? stranger_accepted : 0;
    // What is still on its way to the disk came from another one, and counts from another start.
    durably_accepted = accepted;
    if (held) held->accepted = accepted;
  }
  forwarder_boot = table->boot;
  generation = table->generation;
  catch_ups.set_table(at, *table);
  expectations->set_table(table->expectations);
  archives->set_table(table->archives);
  routed_targets->forget();
  own_events.set_online();
  log.info("table of targets", {{"generation", generation}, {"targets", table->targets.size()}});
}

void SidecarNode::State::on_routed(const Time& at, Frame& frame) {
  Frame shown{.channel = frame.channel, .topic = frame.topic, .body = {}};
  const auto batch = read_routed(bodies->keep(std::move(frame.body)));
  if (!batch || !is_valid_name(batch->client)) {
    malformed(at, shown, batch ? "the client's name is not valid" : batch.error().what);
    return;
  }
  if (batch->boot != forwarder_boot || batch->generation != generation) {
    drop(*batch);
    return;
  }
  // What a batch will look for is fetched meanwhile: the recent ids are more than a cache holds.
  for (const RoutedEvent& event : batch->events) recent.prefetch(event.id);
  const bool own = batch->client == kSidecarClient;
  std::string& results =
      own ? own_events.results() : outbox.body_for(put_result_topic(batch->client));
  for (const RoutedEvent& event : batch->events) {
    on_routed_event(at, event, routed_targets->of(batch->targets_of(event)), results);
  }
  accepted = std::max(accepted, batch->sequence);
  alive_due = true;
}

/// Its target positions mean nothing to us. Publishers put again what is not answered; for the
/// forwarder it counts as handled, or its window would never empty.
void SidecarNode::State::drop(const LinkRouted& batch) {
  ++counters.dropped_batches;
  alive_due = true;
  if (batch.boot == forwarder_boot) {
    accepted = std::max(accepted, batch.sequence);
    return;
  }
  stranger_accepted =
      batch.boot == stranger_boot ? std::max(stranger_accepted, batch.sequence) : batch.sequence;
  stranger_boot = batch.boot;
}

void SidecarNode::State::on_routed_event(const Time& at,
                                         const RoutedEvent& event,
                                         RoutedTargets::Meaning& whom,
                                         std::string& results) {
  const std::string_view text = event.id_text;
  if (!whom.known) {
    malformed(at, {Channel::Link, std::string(kRoutedTopic), {}}, "an event for no known target");
    return;
  }
  if (recent.contains(event.id)) {
    ++counters.duplicates;
    expectations->take(at, whom.marks, event.event, std::nullopt);
    append_put_ok(results, text);
    return;
  }
  const auto refuse = [&results, text](std::string_view code, const std::string& message) {
    append(results,
           PutResult{.event_id = std::string(text), .code = std::string(code), .message = message});
  };
  if (draining_until) return refuse("Unavailable", "the sidecar is stopping: put it again");
  if (!catch_ups.may_owe(whom.owed.names)) {
    ++counters.journal_full;
    return refuse("JournalFull", "a new target's start cannot be recorded until space is freed");
  }
  const auto ref = to_journal(at, event, whom);
  if (ref) {
    ++counters.accepted;
    recent.add(event.id, at.steady);
    take_on(at, *ref, event, whom);
    expectations->take(at, whom.marks, event.event, *ref);
    archives->take(at, whom.archives, *ref);
    append_put_ok(results, text);
    return;
  }
  if (ref.error().fault != Fault::Transient) {
    if (!fatal) fatal = ref.error();
    return;
  }
  ++counters.journal_full;
  log.complain(at, "journal-full", ref.error().what);
  refuse("JournalFull", ref.error().what);
}

/// With all that it is owed to.
Result<EventRef> SidecarNode::State::to_journal(const Time& at,
                                                const RoutedEvent& event,
                                                RoutedTargets::Meaning& whom) {
  if (whom.marks.empty()) return store->append_owed(at.wall, whom.owed, event.event);
  named = whom.owed.names;
  expectations->name_begun(whom.marks, event.event, named);
  return store->append(at.wall, named, event.event);
}

void SidecarNode::State::take_on(const Time& at,
                                 const EventRef& ref,
                                 const RoutedEvent& event,
                                 const RoutedTargets::Meaning& whom) {
  const std::size_t wanted = event.loop ? 0 : whom.targets.size() + whom.archives.size();
  bodies->remember(ref.sequence, event.event, wanted);
  if (event.loop) return bury_loop(ref, whom.targets);
  for (const TargetId target : whom.targets) catch_ups.accept(at, target, ref);
}

void SidecarNode::State::bury_loop(const EventRef& ref, std::span<const TargetId> targets) {
  DeadLettered dead;
  dead.event = ref;
  dead.code = "LoopDetected";
  dead.message = "the event has more causes in a row than max-hops allows: some rules form a loop";
  for (const TargetId target : targets) {
    burials.push_back({.dead = dead,
                       .target = engine.name_of(target),
                       .service = engine.service_of(target),
                       .journalled = true,
                       .delayed = false});
  }
  if (!targets.empty()) return;
  burials.push_back({.dead = std::move(dead),
                     .target = {std::string(kNobody), std::string(kNobody)},
                     .service = {},
                     .journalled = false,
                     .delayed = false});
}

void SidecarNode::State::on_instance(const Time& at, const Frame& frame, const Topic& topic) {
  std::string_view body = frame.body;
  while (!body.empty()) {
    const auto ready = take_ready(body);
    if (!ready) {
      malformed(at, frame, ready.error().what);
      return;
    }
    engine.on_ready(at, topic.first, topic.second, ready->credit);
  }
}

void SidecarNode::State::on_settlements(const Time& at, const Frame& frame, const Topic& topic) {
  std::string_view body = frame.body;
  while (!body.empty()) {
    const auto settlement = take_settlement(body);
    if (!settlement) {
      malformed(at, frame, settlement.error().what);
      return;
    }
    engine.on_settlement(at, topic.first, topic.second, *settlement);
  }
}

void SidecarNode::State::on_gone(const Time& at, const Frame& frame) {
  const std::string_view rest = std::string_view(frame.topic).substr(kGonePrefix.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) {
    malformed(at, frame, "must be link/gone/SERVICE/INSTANCE");
    return;
  }
  engine.on_gone(at, rest.substr(0, slash), rest.substr(slash + 1));
}

void SidecarNode::State::on_matched(const Time& at, const Frame& frame) {
  const auto matched = read_matched(frame.body);
  if (!matched) return malformed(at, frame, matched.error().what);
  const auto placed = catch_ups.on_matched(at, *matched);
  if (!placed && !fatal) fatal = placed.error();
}

// --- Questions ---

void SidecarNode::State::on_asks(const Time& at, const Frame& frame, const Topic& topic) {
  std::string_view body = frame.body;
  while (!body.empty()) {
    const auto ask = take_ask(body, options.limits);
    if (!ask) {
      malformed(at, frame, ask.error().what);
      return;
    }
    on_ask(at, std::string(topic.first), *ask);
  }
}

void SidecarNode::State::on_ask(const Time& at, const std::string& client, const AskView& ask) {
  if (ask.verb != "sidecar.status") return desk->ask(at, client, ask, generation > 0);
  std::string& answers = outbox.body_for(answer_topic(client));
  const auto answer = status(at);
  if (answer) {
    append_answer(answers, ask.request, *answer);
  } else {
    append_refusal(answers, ask.request, answer.error().code, answer.error().what);
  }
}

Result<std::string> SidecarNode::State::status(const Time& at) {
  const auto dead = letters->count();
  if (!dead) return dead.failure();
  return status_answer(at, facts(at, *dead), engine);
}

StatusFacts SidecarNode::State::facts(const Time& at, std::uint64_t dead) const {
  return {.uptime = at.steady - started,
          .generation = generation,
          .dead_letters = dead,
          .store = store->stats(),
          .counters = counters,
          .syncs = syncs,
          .expectations = expectations->states(),
          .archives = archives->states(),
          .catch_ups = catch_ups.states()};
}

/// The delivery is owed again, as a new entry of the journal with the same event for one target.
Result<Sequence> SidecarNode::State::redrive(const Time& at, const DeadLetter& letter) {
  const auto target = engine.find(letter.target);
  if (!target) {
    return fail(Fault::Permanent,
                "target " + letter.target.target + " of rule " + letter.target.rule
                    + " is not in the rules: add it, then redrive again",
                "TargetRemoved");
  }
  const auto ref = store->append_again(at.wall, std::span(&letter.target, 1), letter.event);
  if (!ref) return ref.failure();
  engine.accept(at, *target, *ref);
  return ref->sequence;
}

// --- The turn ---

OrderingKey SidecarNode::State::key_of(const EventRef& event, const std::string& pointer) const {
  const auto bytes = bodies->read(event);
  // What cannot be read is given up when it is sent, and orders nothing.
  return bytes ? ordering_key(Value::trusted(*bytes), pointer) : kNoKey;
}

/// Of what is durable, so that none waits for a commit of others.
void SidecarNode::State::send_deliveries(const Time& at, std::vector<Frame>& out) {
  std::size_t sent = 0;
  while (sent < options.turn_size && !draining_until) {
    const auto dispatch = engine.next_dispatch(at);
    if (!dispatch) break;
    if (!send_delivery(*dispatch, sent)) {
      log.complain(
          at, "unreadable", "an event of the journal cannot be read: see the dead letters");
    }
  }
  more = more || sent >= options.turn_size || engine.has_decisions();
  deliveries.collect(out);
}

bool SidecarNode::State::send_delivery(const Dispatch& dispatch, std::size_t& sent) {
  const auto event = bodies->read(dispatch.event);
  if (!event) {
    engine.give_up(dispatch.id, "EventUnreadable", event.error().what);
    return false;
  }
  const std::string& service = engine.service_of(dispatch.target);
  if (deliver_to.first != service || deliver_to.second != dispatch.instance) {
    deliver_to.first = service;
    deliver_to.second = dispatch.instance;
    deliver_over = deliver_topic(service, dispatch.instance);
  }
  const std::size_t most = engine.limits_of(dispatch.target).batch;
  append(most == 0 ? deliveries.body_for(deliver_over)
                   : deliveries.body_for_delivery(deliver_over, most),
         DeliveryView{.id = dispatch.id,
                      .attempt = dispatch.attempt,
                      .rule = engine.name_of(dispatch.target).rule,
                      .event = *event});
  sent += event->size();
  if (dispatch.attempt == 1) bodies->sent(dispatch.event.sequence);
  return true;
}

void SidecarNode::State::collect_burials() {
  Decisions decisions = engine.take();
  settled = std::move(decisions.settled);
  retries = std::move(decisions.retries);
  RedriveTasks& redrives = desk->redrives();
  for (const Settled& each : settled) redrives.on_settled(each.event.sequence);
  for (const Retry& each : retries) {
    redrives.on_retry(each.event.sequence, each.code, each.message);
  }
  for (const DeadLettered& each : decisions.dead) {
    redrives.on_dead(each.event.sequence, each.code, each.message);
  }
  for (DeadLettered& dead : decisions.dead) {
    const TargetId target = dead.target;
    burials.push_back({.dead = std::move(dead),
                       .target = engine.name_of(target),
                       .service = engine.service_of(target),
                       .journalled = true,
                       .delayed = false});
  }
}

/// Puts what was given up into the dead letters, durably. While there is no room they wait; a crash
/// meanwhile loses nothing, for the journal still owes them.
Result<> SidecarNode::State::bury(const Time& at) {
  if (burials.empty() || at.steady < bury_after) return {};
  bool added = false;
  while (!burials.empty()) {
    const auto well = bury_one(at, burials.front());
    if (!well) return well.failure();
    if (!*well) {
      bury_after = at.steady + kBuryAgain;
      break;
    }
    if (burials.front().journalled) buried.push_back(to_record(burials.front(), at.wall));
    burials.pop_front();
    added = true;
  }
  if (!added) return {};
  news->look();
  return letters->sync();
}

/// False: there is no room now.
Result<bool> SidecarNode::State::bury_one(const Time& at, Burial& burial) {
  const auto event = bodies->read(burial.dead.event);
  DeadLetter letter = to_letter(burial, event ? *event : std::string_view(), at.wall);
  letter.announced = !options.announce_dead_letters || !LetterNews::is_news(letter.source);
  const auto added = letters->add(letter);
  LetterCounts& counted = letter_counts[burial.target];
  if (added) {
    ++counted.sent;
    return true;
  }
  ++counted.failed_to_send;
  if (!std::exchange(burial.delayed, true)) ++counted.failed;
  if (added.error().fault != Fault::Transient || burials.size() > kMostUnburied) {
    return added.failure();
  }
  log.complain(at, "dead-letters", added.error().what);
  return false;
}

/// False: the commit that an earlier turn began is still under way.
Result<bool> SidecarNode::State::await_commit(std::vector<Frame>& out) {
  if (!held) return true;
  const auto durable = store->poll_sync();
  if (!durable) return durable.failure();
  if (*durable) end_commit(out);
  return *durable;
}

/// Makes the turn durable, or begins to: then what it sends is held back until that is done, and
/// what later turns send until their own commit.
Result<> SidecarNode::State::commit(const Time& at, std::vector<Frame>& out) {
  held.emplace();
  outbox.collect(held->frames);
  held->events_end = store->stats().next_sequence;
  held->accepted = accepted;
  held->syncs = store->stats().syncs;
  if (options.stopwatch) held->began = options.stopwatch();
  const auto durable = begin_sync();
  if (!durable) return durable.failure();
  if (!*durable) return {};
  end_commit(out);
  if (auto taken = own_events.take_results(at); !taken) return taken;
  // A redriven one is owed by the journal, durably, before its dead letter goes.
  if (auto removed = desk->remove_redriven(); !removed) return removed;
  return letters->sync();
}

/// What must follow the commit in the same turn waits for it.
Result<bool> SidecarNode::State::begin_sync() {
  const bool waits = own_events.has_results() || desk->has_redriven() || catch_ups.busy();
  if (!waits) return store->begin_sync();
  if (auto synced = store->sync(); !synced) return synced.failure();
  return true;
}

void SidecarNode::State::end_commit(std::vector<Frame>& out) {
  const bool measured = options.stopwatch && store->stats().syncs != held->syncs;
  if (measured) syncs.observe(options.stopwatch() - held->began);
  archives->set_durable(held->events_end);
  engine.set_durable(held->events_end);
  std::ranges::move(held->frames, std::back_inserter(out));
  durably_accepted = held->accepted;
  committed = true;
  held.reset();
}

Result<> SidecarNode::State::record(const Time& at) {
  for (Retry& retry : retries) {
    const auto recorded = store->append(RetryRecord{.sequence = retry.event.sequence,
                                                    .target = engine.name_of(retry.target),
                                                    .attempt = retry.attempt,
                                                    .instance = std::move(retry.instance),
                                                    .sent = retry.sent,
                                                    .failed = at.wall,
                                                    .due = retry.due,
                                                    .code = std::move(retry.code),
                                                    .message = std::move(retry.message)});
    if (!recorded) return recorded.failure();
  }
  for (Settled& ending : settled) {
    const auto recorded = store->append(SettledRecord{.sequence = ending.event.sequence,
                                                      .target = engine.name_of(ending.target),
                                                      .ending = Ending::Settled,
                                                      .attempts = ending.attempts,
                                                      .instance = std::move(ending.instance),
                                                      .first_attempt = ending.first_attempt,
                                                      .last_attempt = ending.last_attempt,
                                                      .at = at.wall});
    if (!recorded) return recorded.failure();
  }
  for (const SettledRecord& ending : buried) {
    const auto recorded = store->append(ending);
    if (!recorded) return recorded.failure();
  }
  buried.clear();
  if (auto recorded = expectations->record(at, *store); !recorded) return recorded;
  return archives->record(at, *store);
}

/// Retention and the trace index: in turns without frames, and now and then when there are no such
/// turns. The index is derived and may fail; the journal may not.
Result<> SidecarNode::State::upkeep(const Time& at) {
  if (busy && at.steady < next_upkeep) return {};
  next_upkeep = at.steady + kUpkeepInterval;
  const auto maintained = store->maintain(at.wall);
  if (!maintained) return maintained.failure();
  if (auto kept = archives->maintain(at); !kept) return kept;
  follow(at);
  return {};
}

Result<> SidecarNode::State::catch_up(const Time& at, std::vector<Frame>& out) {
  if (draining_until) return {};
  std::string ask;
  auto stepped = catch_ups.step(at, ask);
  if (!ask.empty()) out.push_back({Channel::Link, std::string(kMatchTopic), std::move(ask)});
  return stepped;
}

void SidecarNode::State::follow(const Time& at) {
  if (!traces || at.steady < next_follow) return;
  if (at.steady - load_since >= kUpkeepInterval) {
    loaded = counters.accepted - load_from > kLoaded;
    load_since = at.steady;
    load_from = counters.accepted;
  }
  const auto followed = traces->follow(*store);
  if (!followed) {
    log.complain(at, "trace-index", followed.error().what);
  } else if (*followed && !loaded) {
    more = true;
    return;
  }
  next_follow = at.steady + kFollowPause;
}

/// The forwarder's window is what bounds the events that wait for the disk. So it is told of those
/// alone that are durable, and nothing while no commit ends.
void SidecarNode::State::heartbeat(const Time& at, std::vector<Frame>& out) {
  const bool due = alive_due || durably_accepted != told_accepted || at.steady >= next_alive;
  if (!committed || !due) return;
  next_alive = at.steady + options.alive_interval;
  alive_due = false;
  told_accepted = durably_accepted;
  const LinkAlive alive{.boot = boot,
                        .forwarder_boot = forwarder_boot,
                        .generation = generation,
                        .accepted = durably_accepted};
  out.push_back({Channel::Link, std::string(kAliveTopic), encode(alive)});
}

// --- The Node ---

SidecarNode::SidecarNode(std::unique_ptr<State> state) : state_(std::move(state)) {}

SidecarNode::~SidecarNode() = default;

Result<std::unique_ptr<SidecarNode>> SidecarNode::open(const Time& now,
                                                       SidecarOptions options,
                                                       const SidecarStores& stores,
                                                       Random& random,
                                                       Log& log) {
  auto state = std::make_unique<State>(now, options, random, log);
  const auto opened = state->open(stores);
  if (!opened) return opened.failure();
  log.info("recovered",
           {{"pending", state->engine.pending()},
            {"next-sequence", state->store->stats().next_sequence}});
  return std::unique_ptr<SidecarNode>(new SidecarNode(std::move(state)));
}

void SidecarNode::on_frame(const Time& now, Frame& frame) {
  State& state = *state_;
  state.now = now;
  state.busy = true;
  if (frame.topic == kRoutedTopic) {
    state.on_routed(now, frame);
    return;
  }
  if (frame.topic == kTableTopic) {
    state.on_table(now, frame);
    return;
  }
  if (frame.topic == kMatchedTopic) {
    state.on_matched(now, frame);
    return;
  }
  if (frame.topic == kSidecarResultTopic) {
    state.own_events.on_results(frame.body);
    return;
  }
  if (frame.topic.starts_with(kGonePrefix)) {
    state.on_gone(now, frame);
    return;
  }
  const auto topic = parse_topic(frame.topic);
  if (topic && topic->kind == TopicKind::Ready) {
    state.on_instance(now, frame, *topic);
  } else if (topic && topic->kind == TopicKind::Settle) {
    state.on_settlements(now, frame, *topic);
  } else if (topic && topic->kind == TopicKind::Ask) {
    state.on_asks(now, frame, *topic);
  } else {
    state.malformed(now, frame, "not a topic of the link");
  }
}

void SidecarNode::on_time(const Time& now) {
  State& state = *state_;
  state.now = now;
  state.log.on_time(now);
  state.more = false;
  auto stepped = state.desk->step(now);
  if (stepped) stepped = state.news->step();
  state.expectations->step(now);
  if (!stepped && !state.fatal) state.fatal = stepped.error();
  state.engine.advance(now);
  state.collect_burials();
  state.more = state.more || state.news->wants_step() || state.expectations->wants_record();
}

std::optional<SteadyTime> SidecarNode::wake_at() const {
  const State& state = *state_;
  if (state.more) return state.now.steady;
  // While a commit is under way its end is what wakes us.
  SteadyTime next = state.held ? state.now.steady + state.options.alive_interval : state.next_alive;
  if (!state.burials.empty()) next = std::min(next, state.bury_after);
  if (state.draining_until) next = std::min(next, *state.draining_until);
  for (const auto& wakes : {state.engine.wake_at(),
                            state.desk->wake_at(),
                            state.own_events.wake_at(),
                            state.catch_ups.wake_at(),
                            state.expectations->wake_at(state.now),
                            state.archives->wake_at()}) {
    if (wakes) next = std::min(next, *wakes);
  }
  return std::max(next, state.now.steady);
}

Result<> SidecarNode::commit(const Time& now, std::vector<Frame>& out) {
  State& state = *state_;
  if (state.fatal) return tl::unexpected<Error>(*state.fatal);
  // A dead letter is durable before the journal may forget its delivery.
  const auto buried = state.bury(now);
  if (!buried) return buried.failure();
  const auto recorded = state.record(now);
  if (!recorded) return recorded.failure();
  state.committed = false;
  const auto free = state.await_commit(out);
  if (!free) return free.failure();
  if (*free) {
    if (auto kept = state.upkeep(now); !kept) return kept;
    if (auto committed = state.commit(now, out); !committed) return committed;
  }
  state.heartbeat(now, out);
  state.send_deliveries(now, out);
  if (!state.held) {
    if (auto stepped = state.catch_up(now, out); !stepped) return stepped;
  }
  state.own_events.collect(now, out);
  state.busy = false;
  return {};
}

void SidecarNode::measure(const Time& now, MetricsPage& page) const {
  const State& state = *state_;
  const auto dead = state.letters->count();
  const StatusFacts facts = state.facts(now, dead.value_or(0));
  measure_sidecar(now, state.options.bus, facts, state.engine, state.letter_counts, page);
}

void SidecarNode::drain(const Time& now) {
  if (!state_->draining_until) state_->draining_until = now.steady + state_->options.drain_patience;
}

bool SidecarNode::drained() const {
  const State& state = *state_;
  return (state.engine.in_flight() == 0 && !state.held)
         || (state.draining_until && state.now.steady >= *state.draining_until);
}

}  // namespace conga::bus
