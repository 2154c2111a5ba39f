// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/blame.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace conga::cli {
namespace {

using Group = std::vector<const RunEvent*>;

/// The most events of the group that one event caused, and that event; null if no cause is known.
struct Heaviest {
  const RunEvent* cause = nullptr;
  std::size_t caused = 0;
};

Heaviest heaviest(const Group& group, const RunRecord& run) {
  std::map<Uuid, std::size_t> caused;
  Heaviest found;
  for (const RunEvent* event : group) {
    const RunEvent* const cause = event->cause ? run.find(*event->cause) : nullptr;
    if (cause == nullptr) continue;
    const std::size_t count = ++caused[cause->id];
    if (count > found.caused) found = {.cause = cause, .caused = count};
  }
  return found;
}

/// Finds the culprits of one comparison.
class Court {
public:
  Court(const RunDifference& difference,
        const RunRecord& clean,
        const RunRecord& chaos,
        const Deeds& deeds,
        const std::vector<bus::Declaration>& declared);

  Blame judge();

private:
  void judge_group(const FlowKey& key, const GroupDifference& group);
  void judge_dead_letters();
  std::set<FlowKey> parents_of(const GroupDifference& group) const;
  const RunEvent* cause_of(const GroupDifference& group, const std::set<FlowKey>& parents) const;
  std::optional<std::string> service_of(const std::string& source, const RunEvent* cause) const;
  void find_guilty(const std::string& service, Finding finding);

  const RunDifference& difference_;
  const RunRecord& clean_;
  const RunRecord& chaos_;
  const Deeds& deeds_;
  std::map<std::string, std::string> declared_;  ///< Services by their source.
  std::set<std::string> targets_;                ///< Names of all targets.
  std::map<std::string, std::vector<Finding>> guilty_;
  Blame blame_;
};

Court::Court(const RunDifference& difference,
             const RunRecord& clean,
             const RunRecord& chaos,
             const Deeds& deeds,
             const std::vector<bus::Declaration>& declared)
    : difference_(difference), clean_(clean), chaos_(chaos), deeds_(deeds) {
  for (const bus::Declaration& each : declared) declared_[each.source] = each.service;
  for (const RunRecord* run : {&clean, &chaos}) {
    for (const RunEvent& event : run->events()) {
      for (const bus::TargetName& target : event.targets) targets_.insert(target.target);
    }
  }
}

Blame Court::judge() {
  for (const auto& [key, group] : difference_.groups) judge_group(key, group);
  judge_dead_letters();
  for (auto& [service, findings] : guilty_) {
    blame_.culprits.push_back({.service = service, .findings = std::move(findings)});
  }
  return std::move(blame_);
}

void Court::judge_group(const FlowKey& key, const GroupDifference& group) {
  const std::set<FlowKey> parents = parents_of(group);
  const Heaviest before = heaviest(group.clean, clean_);
  const Heaviest after = heaviest(group.chaos, chaos_);
  const bool repeated = after.caused > before.caused && group.chaos.size() > group.clean.size();
  const bool follows = std::ranges::any_of(parents, [&](const FlowKey& parent) {
    return parent != key
           && (difference_.groups.contains(parent) || difference_.unjudged.contains(parent));
  });
  // One event that caused more than any of its kind does not follow from others.
  const bool sure = repeated && before.caused > 0;
  if (follows && !sure) {
    ++blame_.downstream;
    return;
  }
  const RunEvent* const cause = repeated ? after.cause : cause_of(group, parents);
  const auto service = service_of(key.source, cause);
  if (!service) {
    blame_.other_input.push_back(key);
    return;
  }
  Finding finding{.symptom = Symptom::Changed,
                  .emitted = key,
                  .clean = group.clean.size(),
                  .chaos = group.chaos.size(),
                  .cause = cause,
                  .deeds = {},
                  .redelivered = {},
                  .changes = group.changes,
                  .code = {}};
  if (finding.chaos > finding.clean) finding.symptom = sure ? Symptom::Repeated : Symptom::Extra;
  if (finding.chaos < finding.clean) finding.symptom = Symptom::Missing;
  find_guilty(*service, std::move(finding));
}

/// The groups of the events that caused this one's, in either run.
std::set<FlowKey> Court::parents_of(const GroupDifference& group) const {
  std::set<FlowKey> parents;
  const auto add = [&parents](const Group& events, const RunRecord& run) {
    for (const RunEvent* event : events) {
      const RunEvent* const cause = event->cause ? run.find(*event->cause) : nullptr;
      if (cause != nullptr) parents.insert(FlowKey::of(*cause));
    }
  };
  add(group.clean, clean_);
  add(group.chaos, chaos_);
  return parents;
}

/// The event under chaos that led to the difference: the cause of what is new or changed; where
/// something is missing, one that should have caused it, rather one that something was done to.
const RunEvent* Court::cause_of(const GroupDifference& group,
                                const std::set<FlowKey>& parents) const {
  for (const RunEvent* event : group.only_chaos) {
    if (const RunEvent* cause = event->cause ? chaos_.find(*event->cause) : nullptr) return cause;
  }
  const RunEvent* found = nullptr;
  for (const RunEvent& event : chaos_.events()) {
    if (!parents.contains(FlowKey::of(event))) continue;
    if (deeds_.contains(event.id) || !event.redeliveries.empty()) return &event;
    if (found == nullptr) found = &event;
  }
  return found;
}

/// Nothing if the source is no service's: the events came from outside.
std::optional<std::string> Court::service_of(const std::string& source,
                                             const RunEvent* cause) const {
  if (const auto found = declared_.find(source); found != declared_.end()) return found->second;
  const std::string last = source.substr(source.rfind('.') + 1);
  for (const std::string& name : {source, last}) {
    if (targets_.contains(name)) return name;
  }
  if (cause == nullptr) return std::nullopt;
  return cause->targets.size() == 1 ? cause->targets.front().target : source;
}

void Court::judge_dead_letters() {
  using Key = std::tuple<FlowKey, std::string, std::string>;
  std::map<Key, std::pair<std::size_t, std::size_t>> counts;
  std::map<Key, const RunEvent*> events;
  const auto key_of = [](const DeadDelivery& dead) {
    return Key{FlowKey::of(*dead.event), dead.target, dead.code};
  };
  for (const DeadDelivery& dead : clean_.dead_letters()) ++counts[key_of(dead)].first;
  for (const DeadDelivery& dead : chaos_.dead_letters()) {
    ++counts[key_of(dead)].second;
    events[key_of(dead)] = dead.event;
  }
  for (const auto& [key, count] : counts) {
    const FlowKey& what = std::get<0>(key);
    if (count.second <= count.first || difference_.unjudged.contains(what)) continue;
    if (difference_.groups.contains(what)) {
      ++blame_.downstream;
      continue;
    }
    find_guilty(std::get<1>(key),
                {.symptom = Symptom::DeadLetter,
                 .emitted = what,
                 .clean = count.first,
                 .chaos = count.second,
                 .cause = events[key],
                 .deeds = {},
                 .redelivered = {},
                 .changes = {},
                 .code = std::get<2>(key)});
  }
}

void Court::find_guilty(const std::string& service, Finding finding) {
  const RunEvent none;
  const RunEvent& cause = finding.cause == nullptr ? none : *finding.cause;
  const auto again = std::ranges::find(cause.redeliveries, service, &Redelivery::target);
  if (again != cause.redeliveries.end()) finding.redelivered = again->code;
  if (const auto done = deeds_.find(cause.id); done != deeds_.end()) {
    std::ranges::copy_if(done->second, std::back_inserter(finding.deeds), [&](const Deed& deed) {
      return deed.service == service;
    });
  }
  guilty_[service].push_back(std::move(finding));
}

}  // namespace

bool Finding::is_of_repeat() const {
  const auto copied = [](const Deed& deed) { return deed.plan.copy.has_value(); };
  return !redelivered.empty() || std::ranges::any_of(deeds, copied);
}

bool Culprit::is_not_idempotent() const {
  bool any_changed = false;
  bool changed_once = false;
  for (const Finding& finding : findings) {
    const bool repeat = finding.is_of_repeat();
    if (finding.symptom == Symptom::Repeated) return true;
    if (finding.symptom != Symptom::Changed) {
      if (repeat) return true;
      continue;
    }
    any_changed = true;
    if (!repeat) changed_once = true;
  }
  return any_changed && !changed_once;
}

Blame blame(const RunDifference& difference,
            const RunRecord& clean,
            const RunRecord& chaos,
            const Deeds& deeds,
            const std::vector<bus::Declaration>& declared) {
  return Court(difference, clean, chaos, deeds, declared).judge();
}

}  // namespace conga::cli
