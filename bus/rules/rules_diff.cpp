// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/rules_diff.h"

#include <algorithm>
#include <iterator>

namespace conga::bus {

RulesDiff::RulesDiff(const RuleSet& before, const RuleSet& after)
    : before_(before), after_(after), before_ids_(ids_of(before)), after_ids_(ids_of(after)) {}

RulesDiff::DeliveryId RulesDiff::intern(const std::string& rule, const std::string& target) {
  const auto id = static_cast<DeliveryId>(changes_.size());
  const auto [known, is_new] = known_.try_emplace({rule, target}, id);
  if (is_new) changes_.push_back({.rule = rule, .target = target});
  return known->second;
}

std::vector<RulesDiff::Ids> RulesDiff::ids_of(const RuleSet& rules) {
  std::vector<Ids> all;
  for (const RuleSet::Rule& rule : rules.rules()) {
    Ids ids;
    for (const std::uint32_t target : rule.targets) {
      ids.push_back(intern(rule.name, rules.targets()[target].target));
    }
    for (const std::uint32_t topic : rule.topics) {
      ids.push_back(intern(rule.name, "topic: " + rules.topics()[topic]));
    }
    all.push_back(std::move(ids));
  }
  return all;
}

void RulesDiff::collect(const RuleSet& rules,
                        const std::vector<Ids>& ids_of_rule,
                        const EventView& event,
                        Routing& routing,
                        Ids& ids) {
  rules.match(event, routing);
  ids.clear();
  for (const std::uint32_t rule : routing.rules) {
    ids.insert(ids.end(), ids_of_rule[rule].begin(), ids_of_rule[rule].end());
  }
  std::ranges::sort(ids);
}

void RulesDiff::add(const EventView& event) {
  ++events_;
  collect(before_, before_ids_, event, before_routing_, before_now_);
  collect(after_, after_ids_, event, after_routing_, after_now_);
  if (before_now_ == after_now_) {
    unchanged_ += before_now_.size();
    return;
  }
  gained_.clear();
  lost_.clear();
  std::ranges::set_difference(after_now_, before_now_, std::back_inserter(gained_));
  std::ranges::set_difference(before_now_, after_now_, std::back_inserter(lost_));
  unchanged_ += after_now_.size() - gained_.size();
  note(event, gained_, lost_, true);
  note(event, lost_, gained_, false);
}

/// `missing`: what one side alone has. `other`: what the other side alone has.
void RulesDiff::note(const EventView& event, const Ids& missing, const Ids& other, bool gained) {
  for (const DeliveryId id : missing) {
    RulesDiffChange& change = changes_[id];
    ++(gained ? change.gained : change.lost);
    const bool instead = std::ranges::any_of(
        other, [&](DeliveryId each) { return changes_[each].rule == change.rule; });
    if (instead) ++change.retargeted;
    if (change.examples.size() >= kExamples) continue;
    change.examples.push_back({.id = event.id.text(),
                               .source = std::string(event.source),
                               .detail_type = std::string(event.detail_type)});
  }
}

std::vector<RulesDiffChange> RulesDiff::changes() const {
  std::vector<RulesDiffChange> changes;
  std::ranges::copy_if(changes_, std::back_inserter(changes), [](const RulesDiffChange& change) {
    return change.gained + change.lost > 0;
  });
  std::ranges::sort(changes, {}, [](const RulesDiffChange& change) {
    return std::pair(change.rule, change.target);
  });
  return changes;
}

}  // namespace conga::bus
