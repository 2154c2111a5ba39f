// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_plan.h"

#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::simulation {
namespace {

using std::chrono::milliseconds;

constexpr std::array<const char*, 4> kTypes{"Red", "Green", "Blue", "Unheard"};
constexpr std::array<const char*, 3> kServices{"alpha", "beta", "gamma"};
constexpr std::size_t kFewest = 8;
constexpr std::size_t kMore = 25;

std::string any_type(Random& random, std::size_t among) {
  return kTypes[random.below(among)];
}

PlannedTarget make_target(Random& random, std::string service) {
  PlannedTarget target;
  target.service = std::move(service);
  target.ordered = random.chance(0.5);
  target.max_attempts = static_cast<std::uint32_t>(random.below(5));
  if (random.chance(0.2)) target.max_in_flight = static_cast<std::uint32_t>(1 + random.below(2));
  target.ack_timeout = milliseconds(300 + random.below(1500));
  target.backoff_max = milliseconds(200 + random.below(1500));
  return target;
}

std::string to_yaml(const PlannedTarget& target) {
  std::string text =
      "      - service: " + target.service
      + "\n        retry: {max-attempts: " + std::to_string(target.max_attempts)
      + ", max-age: 60s, backoff: {initial: 100ms, factor: 2, max: "
      + format_duration(target.backoff_max)
      + ", jitter: full}}\n        ack-timeout: " + format_duration(target.ack_timeout) + "\n";
  if (target.from_horizon) text += "        start: horizon\n";
  if (target.ordered) text += "        ordering: /detail/key\n";
  if (target.max_in_flight > 0) {
    text += "        max-in-flight: " + std::to_string(target.max_in_flight) + "\n";
  }
  return text;
}

void add_late_target(Random& random, PlannedRule& rule) {
  for (const char* service : kServices) {
    const auto same = [&](const PlannedTarget& each) { return each.service == service; };
    if (std::ranges::any_of(rule.targets, same)) continue;
    PlannedTarget target = make_target(random, service);
    target.from_horizon = true;
    rule.targets.push_back(std::move(target));
    return;
  }
}

std::string detail_of(const PlannedEvent& event, std::size_t padding) {
  std::string detail;
  Packer(detail).map(2).key("key").string(event.key).key("padding").string(
      std::string(padding, 'x'));
  return detail;
}

}  // namespace

PlannedRules make_rules(Random& random) {
  PlannedRules rules;
  for (const char* name : {"first", "second", "third"}) {
    PlannedRule rule;
    rule.name = name;
    rule.types.insert(any_type(random, 3));
    if (random.chance(0.5)) rule.types.insert(any_type(random, 3));
    for (const char* service : kServices) {
      if (random.chance(0.5)) rule.targets.push_back(make_target(random, service));
    }
    if (rule.targets.empty()) rule.targets.push_back(make_target(random, kServices[0]));
    rules.push_back(std::move(rule));
  }
  if (random.chance(0.3)) rules[2].targets.push_back(make_target(random, kDeserted));
  return rules;
}

PlannedRules change_rules(Random& random, PlannedRules rules) {
  for (PlannedRule& rule : rules) {
    for (PlannedTarget& target : rule.targets) {
      if (random.chance(0.7)) continue;
      PlannedTarget changed = make_target(random, target.service);
      changed.ordered = target.ordered;  // what order was kept by is void once it changes
      target = std::move(changed);
    }
  }
  for (std::size_t at = rules.size() - 1; at > 0; --at) {
    std::swap(rules[at], rules[random.below(at + 1)]);
  }
  if (random.chance(0.3)) rules.pop_back();
  for (PlannedRule& rule : rules) {
    if (random.chance(0.3)) add_late_target(random, rule);
  }
  return rules;
}

std::string to_yaml(const PlannedRules& rules) {
  std::string text = "rules:\n";
  for (const PlannedRule& rule : rules) {
    text += "  - name: " + rule.name + "\n    pattern: {detail-type: [";
    for (const std::string& type : rule.types) {
      if (!text.ends_with('[')) text += ", ";
      text += type;
    }
    text += "]}\n    targets:\n";
    for (const PlannedTarget& target : rule.targets) text += to_yaml(target);
  }
  text += "archives:\n  - {name: " + std::string(kArchive) + ", pattern: {detail-type: [";
  return text + kTypes[0] + ", " + kTypes[2] + "]}}\n";
}

bool is_for_archive(const std::string& type) {
  return type == kTypes[0] || type == kTypes[2];
}

std::set<bus::TargetName> targets_of(const PlannedRules& rules, const std::string& type) {
  std::set<bus::TargetName> names;
  for (const PlannedRule& rule : rules) {
    if (!rule.types.contains(type)) continue;
    for (const PlannedTarget& target : rule.targets) names.insert({rule.name, target.service});
  }
  return names;
}

std::vector<std::pair<bus::TargetName, const PlannedRule*>> late_targets(
    const PlannedRules& rules) {
  std::vector<std::pair<bus::TargetName, const PlannedRule*>> late;
  for (const PlannedRule& rule : rules) {
    for (const PlannedTarget& target : rule.targets) {
      if (target.from_horizon) late.push_back({{rule.name, target.service}, &rule});
    }
  }
  return late;
}

std::vector<PlannedEvent> make_events(Random& random,
                                      const Time& now,
                                      Duration period,
                                      std::size_t publishers) {
  UuidFactory ids(random);
  std::vector<PlannedEvent> events(kFewest + random.below(kMore));
  const std::uint64_t keys = 1 + random.below(4);
  const std::uint64_t padding = random.chance(0.5) ? 100 : 1500;
  for (PlannedEvent& planned : events) {
    planned.type = any_type(random, random.chance(0.1) ? kTypes.size() : 3);
    planned.key = "key-" + std::to_string(random.below(keys));
    planned.at = now.steady + Duration(random.below(static_cast<std::uint64_t>(period.count())));
    planned.publisher = random.below(publishers);
    if (random.chance(0.2)) planned.repeats = static_cast<unsigned>(1 + random.below(2));
    if (random.chance(0.25)) {
      planned.failing = kServices[random.below(kServices.size())];
      planned.rejected = random.chance(0.3);
    }
    Event event;
    event.id = planned.id = ids.make(now.wall);
    event.source = "simulation";
    event.detail_type = planned.type;
    event.time = now.wall;
    event.detail = detail_of(planned, random.below(padding));
    planned.bytes = encode(event);
  }
  return events;
}

}  // namespace conga::simulation
