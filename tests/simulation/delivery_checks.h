// SPDX-License-Identifier: Apache-2.0
//
// What must hold at the end of a delivery simulation, read from the journal and the dead letters.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/event_store.h"
#include "common/io/files.h"
#include "tests/simulation/delivery_plan.h"
#include "tests/simulation/delivery_system.h"
#include "tests/simulation/invariants.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace conga::simulation {

/// What happened, as far as it is known without asking the sidecar.
struct DeliveryBooks {
  const std::vector<PlannedEvent>& events;
  const std::vector<PlannedRules>& rules;     ///< Every set that was ever at work.
  bool last_rules_work = false;               ///< The last of them did, to the end.
  const std::set<std::string>& acknowledged;  ///< Event ids that were answered ok.
  const Deliveries& unrecorded;               ///< Ended, and a full disk kept it from being said.
  /// Event ids and targets of which a consumer said ok.
  const std::set<std::pair<std::string, bus::TargetName>>& said_ok;
  /// A sidecar that dies between redriving a dead letter and removing it leaves both.
  bool sidecar_died = false;
  /// Of ordered targets: event ids in the order in which they were first settled ok.
  const std::map<Lane, std::vector<std::string>>& settled;
};

/// Nothing ends settled of which no consumer said ok, or as a dead letter that is neither there nor
/// redriven; none is there of what was settled. Every acknowledged event is kept, for the targets
/// that some of the rule sets owed it to, and for those that were added with `start: horizon`; each
/// of its deliveries ended; of one target and key they ended in the order in which the events came.
/// What is a dead letter, or was one, is no part of that order: it may be redriven, or tried again
/// by a sidecar that died before the journal knew.
void check_deliveries(bus::EventStore& store,
                      bus::DeadLetters& letters,
                      const DeliveryBooks& books,
                      DeliveryReport& report);

/// The archive in `directory` of `disk` has each event that the journal owed it, once, and nothing
/// else; and it was owed every event that is for it.
void check_archive(bus::EventStore& store,
                   Files& disk,
                   const std::string& directory,
                   const DeliveryBooks& books,
                   DeliveryReport& report);

/// Each dead letter is of a planned event, with a reason that somebody gave.
void check_reasons(bus::DeadLetters& letters, const DeliveryBooks& books, DeliveryReport& report);

}  // namespace conga::simulation
