// SPDX-License-Identifier: Apache-2.0
//
// Blame: which services are at fault for the difference between a clean run and one under chaos.
// Only those where it began are named, not those that just got other events than in the clean run.

#pragma once

#include "bus/rules/choreography.h"
#include "cli/chaos/deed.h"
#include "cli/chaos/run_difference.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace conga::cli {

/// What the relay did, by event.
using Deeds = std::unordered_map<Uuid, std::vector<Deed>>;

enum class Symptom : std::uint8_t {
  Repeated,    ///< One event made the service emit more than any such event in the clean run.
  Extra,       ///< More events than in the clean run.
  Missing,     ///< Fewer.
  Changed,     ///< As many, and they say something else.
  DeadLetter,  ///< A delivery became a dead letter that did not in the clean run.
};

struct Finding {
  Symptom symptom = Symptom::Changed;
  FlowKey emitted;        ///< DeadLetter: what was delivered.
  std::size_t clean = 0;  ///< How many of them; DeadLetter: dead ones. So the next.
  std::size_t chaos = 0;
  const RunEvent* cause = nullptr;  ///< The delivered event that led to it, if that is known.
  std::vector<Deed> deeds;          ///< What was done to it on its way to this service.
  std::string redelivered;  ///< Why it was delivered to this service again; empty: it was not.
  std::vector<FactChange> changes;
  std::string code;  ///< Of a DeadLetter.

  /// Its cause was delivered more than once.
  bool is_of_repeat() const;
};

/// A service where differences began.
struct Culprit {
  std::string service;
  std::vector<Finding> findings;

  /// A repeat shows in what it emits: one event caused more than in the clean run, or something
  /// came, went or died where an event was delivered twice. Else what it does depends on when, or
  /// in which order, events come; so it is too if events say something else after single
  /// deliveries.
  bool is_not_idempotent() const;
};

struct Blame {
  std::vector<Culprit> culprits;  ///< By name.
  std::size_t downstream = 0;     ///< Groups of events that differ only as their causes do.
  std::vector<FlowKey>
      other_input;  ///< Not emitted by a service: the runs were given other events.
};

/// `declared`: which service has which source; where it says nothing, a target of that name, or of
/// the last part of the source, is taken for it.
Blame blame(const RunDifference& difference,
            const RunRecord& clean,
            const RunRecord& chaos,
            const Deeds& deeds,
            const std::vector<bus::Declaration>& declared);

}  // namespace conga::cli
