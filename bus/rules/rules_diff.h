// SPDX-License-Identifier: Apache-2.0
//
// RulesDiff: what other rules would have done with the same events: which deliveries would have
// been gained, which lost, with the first events as examples.

#pragma once

#include "bus/rules/rule_set.h"
#include "common/wire/event/event.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace conga::bus {

struct RulesDiffExample {
  std::string id;
  std::string source;
  std::string detail_type;
};

/// Of one rule and one of its targets.
struct RulesDiffChange {
  std::string rule;
  std::string target;  ///< Its name, or `topic: NAME`.
  std::uint64_t gained = 0;
  std::uint64_t lost = 0;
  /// Of the lost or gained, how many events the same rule sends elsewhere instead.
  std::uint64_t retargeted = 0;
  std::vector<RulesDiffExample> examples = {};  ///< At most kExamples.
};

class RulesDiff {
public:
  static constexpr std::size_t kExamples = 3;

  /// Both must outlive the object.
  RulesDiff(const RuleSet& before, const RuleSet& after);

  void add(const EventView& event);

  std::uint64_t events() const { return events_; }

  /// Deliveries that are the same under both.
  std::uint64_t unchanged() const { return unchanged_; }

  /// Only where there is a change; by rule and target.
  std::vector<RulesDiffChange> changes() const;

private:
  /// A rule's target; the same in both sets if both names are.
  using DeliveryId = std::uint32_t;
  using Ids = std::vector<DeliveryId>;

  std::vector<Ids> ids_of(const RuleSet& rules);
  DeliveryId intern(const std::string& rule, const std::string& target);
  static void collect(const RuleSet& rules,
                      const std::vector<Ids>& ids_of_rule,
                      const EventView& event,
                      Routing& routing,
                      Ids& ids);
  void note(const EventView& event, const Ids& missing, const Ids& other, bool gained);

  const RuleSet& before_;
  const RuleSet& after_;
  std::map<std::pair<std::string, std::string>, DeliveryId> known_;
  std::vector<RulesDiffChange> changes_;  ///< By delivery id.
  std::vector<Ids> before_ids_;           ///< By rule; ascending.
  std::vector<Ids> after_ids_;
  std::uint64_t events_ = 0;
  std::uint64_t unchanged_ = 0;

  Routing before_routing_;  ///< Working memory; so the next.
  Routing after_routing_;
  Ids before_now_;
  Ids after_now_;
  Ids gained_;
  Ids lost_;
};

}  // namespace conga::bus
