// SPDX-License-Identifier: Apache-2.0
//
// DeliveryPlan: what a seed decides before a run of the delivery simulation: the rules and what
// becomes of them, the events, and how consumers fare with each.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/random.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace conga::simulation {

/// A service that never has an instance: what it is owed ends by max-age.
inline constexpr const char* kDeserted = "nobody";

/// All rules have one archive of this name, for some types of events.
inline constexpr const char* kArchive = "kept";

bool is_for_archive(const std::string& type);

struct PlannedTarget {
  std::string service;
  bool ordered = false;       ///< By `/detail/key`.
  bool from_horizon = false;  ///< `start: horizon`; otherwise `latest`.
  std::uint32_t max_attempts = 0;
  std::uint32_t max_in_flight = 0;  ///< 0: as much as instances take.
  Duration ack_timeout = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::seconds(1);
};

struct PlannedRule {
  std::string name;
  std::set<std::string> types;
  std::vector<PlannedTarget> targets;
};

using PlannedRules = std::vector<PlannedRule>;

PlannedRules make_rules(Random& random);

/// Other rules: in another order, with other policies, perhaps one less, perhaps with a target that
/// begins in the past.
PlannedRules change_rules(Random& random, PlannedRules rules);

std::string to_yaml(const PlannedRules& rules);

/// Whom an event of that type is owed to.
std::set<bus::TargetName> targets_of(const PlannedRules& rules, const std::string& type);

/// Those with `start: horizon`, of which the journal's older events are too, and their rules.
std::vector<std::pair<bus::TargetName, const PlannedRule*>> late_targets(const PlannedRules& rules);

/// Rule, service and key: what goes one after another at an ordered target.
struct Lane {
  std::string rule;
  std::string service;
  std::string key;

  friend auto operator<=>(const Lane&, const Lane&) = default;
};

struct PlannedEvent {
  Uuid id;
  std::string type;
  std::string key;
  std::string bytes;
  SteadyTime at;              ///< When it is first put.
  std::size_t publisher = 0;  ///< Who puts it.
  unsigned repeats = 0;       ///< How often it is put again once it was answered.
  std::string failing;        ///< The service that cannot cope with it; empty: none.
  bool rejected = false;      ///< That service says so at once.
  bool answered = false;      ///< ok
};

std::vector<PlannedEvent> make_events(Random& random,
                                      const Time& now,
                                      Duration period,
                                      std::size_t publishers);

}  // namespace conga::simulation
