// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/answers.h"

#include "bus/sidecar/letter_facts.h"
#include "common/core/version.h"
#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <optional>

namespace conga::bus {
namespace {

/// An answer must pass the reader's limit of 1 MiB, so lists end when they come near it.
constexpr std::size_t kAnswerSize = std::size_t{900} * 1024;
constexpr std::size_t kMostTargets = 2000;

/// An age for people: whole milliseconds, or seconds when there are many.
std::string age_text(Duration age) {
  constexpr Duration kFine = std::chrono::seconds(10);
  age = std::max(age, Duration(0));
  if (age >= kFine) return format_duration(std::chrono::floor<std::chrono::seconds>(age));
  return format_duration(std::chrono::floor<std::chrono::milliseconds>(age));
}

std::size_t pending_of(const TargetState& target) {
  return target.ready + target.waiting + target.parked + target.in_flight;
}

const Instances* find_instances(const std::vector<ServiceState>& services,
                                const std::string& service) {
  for (const ServiceState& state : services) {
    if (state.name == service) return state.instances;
  }
  return nullptr;
}

std::string_view state_of(const TargetState& target,
                          const std::vector<ServiceState>& services,
                          bool has_table) {
  if (!has_table) return "no-table";
  if (target.removed) return "removed";
  if (target.paused) return "paused";
  const Instances* const instances = find_instances(services, target.service);
  if (instances == nullptr || instances->all().empty()) return "no-instance";
  const bool free = std::any_of(instances->all().begin(),
                                instances->all().end(),
                                [](const Instance& instance) { return instance.free() > 0; });
  return free ? "ok" : "no-credit";
}

void pack_target(Packer& packer,
                 const Time& now,
                 const TargetState& target,
                 const CatchUpState& catch_up,
                 std::string_view state) {
  packer.map(15).key("rule").string(target.name.rule).key("target").string(target.name.target);
  packer.key("service").string(target.service).key("state").string(state);
  packer.key("pending").unsigned_integer(pending_of(target) + catch_up.waiting);
  packer.key("catching-up").unsigned_integer(catch_up.left);
  packer.key("held").unsigned_integer(catch_up.waiting);
  packer.key("ready").unsigned_integer(target.ready);
  packer.key("waiting-retry").unsigned_integer(target.waiting);
  packer.key("waiting-key").unsigned_integer(target.parked);
  packer.key("attempts").unsigned_integer(target.counters->attempts);
  packer.key("retry-attempts").unsigned_integer(target.counters->retry_attempts);
  packer.key("settled").unsigned_integer(target.counters->successful_attempts);
  packer.key("in-flight").unsigned_integer(target.in_flight).key("oldest");
  if (target.oldest) {
    packer.string(age_text(now.steady - *target.oldest));
  } else {
    packer.null();
  }
}

void pack_service(Packer& packer, const Time& now, const ServiceState& service) {
  packer.map(2).key("service").string(service.name).key("instances");
  packer.array(service.instances->all().size());
  for (const Instance& instance : service.instances->all()) {
    packer.map(4).key("instance").string(instance.name);
    packer.key("credit").unsigned_integer(instance.credit);
    packer.key("in-flight").unsigned_integer(instance.in_flight);
    packer.key("last-heard").string(age_text(now.steady - instance.last_heard));
  }
}

void pack_expectation(Packer& packer, const ExpectationState& state) {
  packer.map(5).key("name").string(state.name);
  packer.key("open").unsigned_integer(state.open).key("met").unsigned_integer(state.met);
  packer.key("missed").unsigned_integer(state.missed);
  packer.key("passed-over").unsigned_integer(state.passed_over);
}

void pack_archive(Packer& packer, const ArchiveState& state) {
  packer.map(5).key("name").string(state.name);
  packer.key("archived").unsigned_integer(state.archived);
  packer.key("waiting").unsigned_integer(state.waiting);
  packer.key("bytes").unsigned_integer(state.bytes).key("fault").string(state.fault);
}

void pack_journal(Packer& packer, const StoreStats& store) {
  packer.map(9).key("events").unsigned_integer(store.events);
  packer.key("bytes").unsigned_integer(store.bytes);
  packer.key("segments").unsigned_integer(store.segments);
  packer.key("oldest-segment").unsigned_integer(store.oldest_segment);
  packer.key("low-water").unsigned_integer(store.low_water);
  packer.key("pins").unsigned_integer(store.pins);
  packer.key("next-sequence").unsigned_integer(store.next_sequence);
  packer.key("syncs").unsigned_integer(store.syncs);
  packer.key("unrecorded").unsigned_integer(store.unrecorded);
}

void pack_counters(Packer& packer, const SidecarCounters& node, const EngineCounters& engine) {
  packer.map(12).key("accepted").unsigned_integer(node.accepted);
  packer.key("duplicates").unsigned_integer(node.duplicates);
  packer.key("dispatched").unsigned_integer(engine.dispatched);
  packer.key("settled").unsigned_integer(engine.settled);
  packer.key("retried").unsigned_integer(engine.retried);
  packer.key("dead-lettered").unsigned_integer(engine.dead);
  packer.key("ack-timeouts").unsigned_integer(engine.timeouts);
  packer.key("consumers-lost").unsigned_integer(engine.lost);
  packer.key("stale-settlements").unsigned_integer(engine.stale_settlements);
  packer.key("journal-full").unsigned_integer(node.journal_full);
  packer.key("dropped-batches").unsigned_integer(node.dropped_batches);
  packer.key("malformed").unsigned_integer(node.malformed);
}

void pack_letter(Packer& packer, const DeadLetter& letter) {
  pack_letter_facts(packer, letter);
  pack_time(packer.key("time"), letter.at);
  packer.key("sequence").unsigned_integer(letter.sequence);
}

constexpr std::size_t kLetterFields = kLetterFacts + 2;

void pack_body(Packer& packer, const DeadLetter& letter) {
  letter.event.empty() ? packer.null() : packer.raw(letter.event);
}

void pack_task(Packer& packer, const RedriveTask& task) {
  packer.map(9).key("task").unsigned_integer(task.number).key("state").string(name_of(task.state));
  pack_time(packer.key("asked"), task.asked);
  packer.key("total").unsigned_integer(task.total);
  packer.key("redriven").unsigned_integer(task.redriven);
  packer.key("settled").unsigned_integer(task.settled);
  packer.key("dead-lettered").unsigned_integer(task.dead);
  packer.key("refused").unsigned_integer(task.refused).key("stop");
  if (!task.stop) {
    packer.null();
    return;
  }
  packer.map(4).key("number").unsigned_integer(task.stop->letter);
  packer.key("event-id").string(task.stop->event_id);
  packer.key("code").string(task.stop->code).key("message").string(task.stop->message);
}

void pack_audit(Packer& packer, const AuditEntry& entry) {
  packer.map(7).key("number").unsigned_integer(entry.number);
  pack_time(packer.key("time"), entry.at);
  packer.key("by").string(entry.by).key("client").string(entry.client);
  packer.key("verb").string(entry.verb).key("arguments").string(entry.arguments);
  packer.key("outcome").string(entry.outcome);
}

void pack_attempt(Packer& packer, const TracedAttempt& attempt) {
  packer.map(7).key("attempt").unsigned_integer(attempt.number);
  packer.key("instance").string(attempt.instance);
  pack_time(packer.key("sent"), attempt.sent);
  pack_time(packer.key("ended"), attempt.ended);
  packer.key("outcome").string(attempt.outcome).key("code").string(attempt.code);
  packer.key("message").string(attempt.message);
}

void pack_event(Packer& packer, const TracedEvent& event) {
  const auto view = read_event(event.bytes);
  const EventView known = view ? *view : EventView{};
  packer.map(9).key("sequence").unsigned_integer(event.sequence);
  packer.key("id").string(known.id.text()).key("source").string(known.source);
  packer.key("detail-type").string(known.detail_type);
  packer.key("correlation-id").string(known.correlation_id);
  packer.key("causation-id").string(known.causation_id ? known.causation_id->text() : "");
  packer.key("time").string(known.time);
  pack_time(packer.key("ingested"), event.ingested);
  packer.key("deliveries").array(event.deliveries.size());
  for (const TracedDelivery& delivery : event.deliveries) {
    packer.map(4).key("rule").string(delivery.target.rule);
    packer.key("target").string(delivery.target.target);
    packer.key("outcome").string(delivery.outcome);
    packer.key("attempts").array(delivery.attempts.size());
    for (const TracedAttempt& attempt : delivery.attempts) pack_attempt(packer, attempt);
  }
}

/// As many of `items` as fit, each packed by `pack`; `cut` says whether some were left out.
template <class Item, class Pack>
std::string pack_list(const std::vector<Item>& items, bool& cut, const Pack& pack) {
  std::string elements;
  std::size_t count = 0;
  for (const Item& item : items) {
    std::string element;
    Packer packer(element);
    pack(packer, item);
    if (count > 0 && elements.size() + element.size() > kAnswerSize) break;
    elements += element;
    ++count;
  }
  cut = count < items.size();
  std::string list;
  Packer(list).array(count).raw(elements);
  return list;
}

}  // namespace

CatchUpState catch_up_of(const StatusFacts& facts, const TargetName& name) {
  const auto found = std::ranges::find(facts.catch_ups, name, &CatchUpState::target);
  return found == facts.catch_ups.end() ? CatchUpState{} : *found;
}

std::string status_answer(const Time& now, const StatusFacts& facts, const DeliveryEngine& engine) {
  std::vector<TargetState> targets = engine.targets();
  std::stable_sort(targets.begin(), targets.end(), [](const auto& one, const auto& other) {
    return pending_of(one) > 0 && pending_of(other) == 0;
  });
  if (targets.size() > kMostTargets) targets.resize(kMostTargets);
  const std::vector<ServiceState> services = engine.services();
  std::string answer;
  Packer packer(answer);
  packer.map(12).key("version").string(kVersion).key("uptime").string(age_text(facts.uptime));
  packer.key("forwarder-generation").unsigned_integer(facts.generation);
  std::size_t held = 0;
  for (const CatchUpState& state : facts.catch_ups) held += state.waiting;
  packer.key("pending").unsigned_integer(engine.pending() + held);
  packer.key("in-flight").unsigned_integer(engine.in_flight());
  packer.key("dead-letters").unsigned_integer(facts.dead_letters);
  pack_journal(packer.key("journal"), facts.store);
  pack_counters(packer.key("counters"), facts.counters, engine.counters());
  packer.key("targets").array(targets.size());
  for (const TargetState& target : targets) {
    pack_target(packer,
                now,
                target,
                catch_up_of(facts, target.name),
                state_of(target, services, facts.generation > 0));
  }
  packer.key("services").array(services.size());
  for (const ServiceState& service : services) pack_service(packer, now, service);
  packer.key("expectations").array(facts.expectations.size());
  for (const ExpectationState& state : facts.expectations) pack_expectation(packer, state);
  packer.key("archives").array(facts.archives.size());
  for (const ArchiveState& state : facts.archives) pack_archive(packer, state);
  return answer;
}

std::string list_answer(std::uint64_t count, const std::vector<DeadLetter>& letters, bool events) {
  bool cut = false;
  const std::string list = pack_list(letters, cut, [=](Packer& packer, const DeadLetter& letter) {
    pack_letter(packer.map(kLetterFields + (events ? 1 : 0)), letter);
    if (events) pack_body(packer.key("event"), letter);
  });
  std::string answer;
  Packer(answer).map(2).key("count").unsigned_integer(count).key("letters").raw(list);
  return answer;
}

std::string letter_answer(const DeadLetter& letter, const std::vector<TracedAttempt>& attempts) {
  std::string answer;
  Packer packer(answer);
  pack_letter(packer.map(kLetterFields + 2), letter);
  packer.key("attempts").array(attempts.size());
  for (const TracedAttempt& attempt : attempts) pack_attempt(packer, attempt);
  pack_body(packer.key("event"), letter);
  return answer;
}

std::string trace_answer(const std::vector<TracedEvent>& events, bool truncated) {
  bool cut = false;
  const std::string list = pack_list(events, cut, pack_event);
  std::string answer;
  Packer(answer).map(2).key("events").raw(list).key("truncated").boolean(truncated || cut);
  return answer;
}

std::string task_answer(const RedriveTask& task) {
  std::string answer;
  Packer packer(answer);
  pack_task(packer, task);
  return answer;
}

std::string tasks_answer(const std::vector<RedriveTask>& tasks) {
  std::string answer;
  Packer packer(answer);
  packer.map(1).key("tasks").array(tasks.size());
  for (const RedriveTask& task : tasks) pack_task(packer, task);
  return answer;
}

std::string audit_answer(const std::vector<AuditEntry>& entries) {
  bool cut = false;
  const std::string list = pack_list(entries, cut, pack_audit);
  std::string answer;
  Packer(answer).map(1).key("entries").raw(list);
  return answer;
}

std::string purge_answer(std::uint64_t purged) {
  std::string answer;
  Packer(answer).map(1).key("purged").unsigned_integer(purged);
  return answer;
}

std::string targets_answer(const std::vector<TargetName>& names, bool paused) {
  std::string answer;
  Packer packer(answer);
  packer.map(1).key("targets").array(names.size());
  for (const TargetName& name : names) {
    packer.map(3).key("rule").string(name.rule).key("target").string(name.target);
    packer.key("paused").boolean(paused);
  }
  return answer;
}

}  // namespace conga::bus
