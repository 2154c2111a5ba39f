// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/run_difference.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace conga::cli {
namespace {

using Group = std::vector<const RunEvent*>;
using Groups = std::map<FlowKey, Group>;

/// Whether `pointer` is what `pattern` says, or below it; `*` stands for one part.
bool is_below(std::string_view pointer, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pointer.empty()) return false;
    const std::size_t end = pointer.find('/', 1);
    const std::size_t pattern_end = pattern.find('/', 1);
    const std::string_view part = pattern.substr(0, pattern_end);
    if (part != "/*" && part != pointer.substr(0, end)) return false;
    pointer = end == std::string_view::npos ? "" : pointer.substr(end);
    pattern = pattern_end == std::string_view::npos ? "" : pattern.substr(pattern_end);
  }
  return true;
}

/// What is not compared.
struct Blind {
  std::map<EventKind, std::set<std::string>> noise;
  const std::vector<std::string>& ignored;

  bool ignores(std::string_view pointer) const {
    const auto below = [pointer](const std::string& each) { return is_below(pointer, each); };
    return std::ranges::any_of(ignored, below);
  }

  bool covers(const RunEvent& event, std::string_view pointer) const {
    if (ignores(pointer)) return true;
    const auto found = noise.find({event.source, event.detail_type});
    return found != noise.end() && found->second.contains(std::string(pointer));
  }
};

Groups groups_of(const RunRecord& run) {
  Groups groups;
  for (const RunEvent& event : run.events()) groups[FlowKey::of(event)].push_back(&event);
  return groups;
}

std::vector<FactChange> changes_between(const Facts& clean, const Facts& chaos) {
  std::vector<FactChange> changes;
  for (const auto& [pointer, text] : clean) {
    const auto other = chaos.find(pointer);
    const std::string now = other == chaos.end() ? "" : other->second;
    if (now != text) changes.push_back({.pointer = pointer, .clean = text, .chaos = now});
  }
  for (const auto& [pointer, text] : chaos) {
    if (!clean.contains(pointer)) {
      changes.push_back({.pointer = pointer, .clean = "", .chaos = text});
    }
  }
  return changes;
}

/// The leaves in which a group's events differ, the first from the first and so on.
std::set<std::string> pointers_between(const Group& one, const Group& other) {
  std::set<std::string> pointers;
  for (std::size_t each = 0; each < one.size(); ++each) {
    for (FactChange& change : changes_between(one[each]->facts, other[each]->facts)) {
      pointers.insert(std::move(change.pointer));
    }
  }
  return pointers;
}

/// What differs between a clean run and another: leaves, and how many events a group has.
void learn(const Groups& one, const Groups& other, Blind& blind, std::set<FlowKey>& unjudged) {
  for (const auto& [key, events] : one) {
    const auto again = other.find(key);
    if (again == other.end() || again->second.size() != events.size()) {
      unjudged.insert(key);
      continue;
    }
    std::set<std::string> pointers = pointers_between(events, again->second);
    std::erase_if(pointers, [&blind](const std::string& each) { return blind.ignores(each); });
    if (!pointers.empty()) blind.noise[{key.source, key.detail_type}].merge(pointers);
  }
  for (const auto& [key, events] : other) {
    if (!one.contains(key)) unjudged.insert(key);
  }
}

Facts seen(const RunEvent& event, const Blind& blind) {
  Facts facts = event.facts;
  std::erase_if(facts, [&](const auto& fact) { return blind.covers(event, fact.first); });
  return facts;
}

/// Fills in what has no equal on the other side.
void match(GroupDifference& group, const Blind& blind) {
  std::multimap<Facts, const RunEvent*> left;
  for (const RunEvent* event : group.clean) left.emplace(seen(*event, blind), event);
  for (const RunEvent* event : group.chaos) {
    const auto equal = left.find(seen(*event, blind));
    if (equal == left.end()) {
      group.only_chaos.push_back(event);
    } else {
      left.erase(equal);
    }
  }
  for (const auto& [facts, event] : left) group.only_clean.push_back(event);
  if (group.only_clean.empty() || group.only_chaos.empty()) return;
  group.changes = changes_between(seen(*group.only_clean.front(), blind),
                                  seen(*group.only_chaos.front(), blind));
}

}  // namespace

FlowKey FlowKey::of(const RunEvent& event) {
  return {.correlation_id = event.correlation_id,
          .source = event.source,
          .detail_type = event.detail_type};
}

RunDifference difference_of(std::span<const RunRecord> clean,
                            const RunRecord& chaos,
                            const std::vector<std::string>& ignored) {
  RunDifference difference;
  Blind blind{.noise = {}, .ignored = ignored};
  const Groups before = groups_of(clean.front());
  for (const RunRecord& again : clean.subspan(1)) {
    learn(before, groups_of(again), blind, difference.unjudged);
  }
  std::map<FlowKey, GroupDifference> all;
  for (const auto& [key, events] : before) all[key].clean = events;
  for (const auto& [key, events] : groups_of(chaos)) all[key].chaos = events;
  std::set<std::string> flows;
  for (auto& [key, group] : all) {
    flows.insert(key.correlation_id);
    if (difference.unjudged.contains(key)) continue;
    match(group, blind);
    if (group.only_clean.empty() && group.only_chaos.empty()) continue;
    difference.groups.emplace(key, std::move(group));
  }
  difference.noise = std::move(blind.noise);
  difference.flows = flows.size();
  difference.events = chaos.events().size();
  return difference;
}

}  // namespace conga::cli
