// SPDX-License-Identifier: Apache-2.0
//
// Choreography: the flow that services' manifests and the rules declare together: which event goes
// from whom to whom, by which rule. What really flows may be less, for a rule may also ask for what
// an event holds.

#pragma once

#include "bus/rules/pattern.h"
#include "bus/rules/rule_set.h"
#include "common/core/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

/// What a service says of an event that it emits.
struct Emission {
  std::optional<std::vector<std::string>> after = {};  ///< What it consumed; absent: any of it.
  bool once = false;           ///< At most once in a flow, so no loop goes past it.
  bool failure = false;        ///< The flow does not go on as it was meant to.
  std::string undone_by = {};  ///< The detail-type that takes it back; empty: nothing must.
};

/// What a service says of itself: `conga-payment --manifest`.
struct Declaration {
  std::string service;
  std::string source;                            ///< Of the events that it emits.
  std::vector<std::string> consumes;             ///< Detail-types.
  std::vector<std::string> emits;                ///< Detail-types.
  std::string file = {};                         ///< Where it was read from, for faults.
  std::vector<std::size_t> consumes_lines = {};  ///< Of `consumes`, in that file; so the next.
  std::vector<std::size_t> emits_lines = {};
  std::vector<Emission> emissions = {};  ///< Of `emits`.
};

/// From the manifest's JSON. Permanent, code `InvalidManifest`.
Result<Declaration> read_declaration(std::string_view json);

/// Events that no declared service emits come from here: from customers, say.
inline constexpr std::string_view kOutside = "(outside)";

struct Arrow {
  std::string from;  ///< A service, or kOutside.
  std::string detail_type;
  std::string rule;
  std::string to;      ///< A service, or `topic: NAME`.
  std::string target;  ///< What the rule calls it: a service unless it is named otherwise.

  friend bool operator==(const Arrow&, const Arrow&) = default;
};

/// Whether an event of that source and detail-type may match, whatever else it holds.
bool may_match(const Pattern& pattern, std::string_view source, std::string_view detail_type);

/// As may_match(), for some source that is none of `sources`.
bool may_match_from_elsewhere(const Pattern& pattern,
                              const std::vector<std::string>& sources,
                              std::string_view detail_type);

/// In the order of the declarations, their events, and the rules; those from kOutside first.
/// Disabled rules draw none.
std::vector<Arrow> arrows_of(const RuleSet& rules, const std::vector<Declaration>& declarations);

}  // namespace conga::bus
