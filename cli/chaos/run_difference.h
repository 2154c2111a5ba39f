// SPDX-License-Identifier: Apache-2.0
//
// RunDifference: in what the business events of two runs differ. Events are grouped by flow, source
// and detail-type, and a group's events compared as a bag: neither order nor ids matter. What
// differs even between two clean runs is taken for the nature of the thing and not compared.

#pragma once

#include "cli/chaos/run_record.h"

#include <compare>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace conga::cli {

/// What is compared as one: events of one type of one flow.
struct FlowKey {
  std::string correlation_id;
  std::string source;
  std::string detail_type;

  static FlowKey of(const RunEvent& event);

  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

using EventKind = std::pair<std::string, std::string>;  ///< Source and detail-type.

/// Empty text: the leaf was not there.
struct FactChange {
  std::string pointer;
  std::string clean;
  std::string chaos;

  friend bool operator==(const FactChange&, const FactChange&) = default;
};

/// The events of one group in both runs, where they are not the same.
struct GroupDifference {
  std::vector<const RunEvent*> clean;
  std::vector<const RunEvent*> chaos;
  std::vector<const RunEvent*> only_clean;  ///< Of `clean`, without an equal in `chaos`.
  std::vector<const RunEvent*> only_chaos;
  std::vector<FactChange> changes;  ///< From the first of only_clean to the first of only_chaos.
};

struct RunDifference {
  std::map<FlowKey, GroupDifference> groups;
  std::set<FlowKey> unjudged;                        ///< As many as not even in two clean runs.
  std::map<EventKind, std::set<std::string>> noise;  ///< Pointers that differed in clean runs.
  std::size_t flows = 0;                             ///< By their correlation ids.
  std::size_t events = 0;                            ///< Of the run under chaos.
};

/// `clean`: one run or more, the first of which is compared. `ignored`: JSON pointers into the
/// event, in which `*` stands for one part; what is below one is ignored too. The runs must outlive
/// what is returned.
RunDifference difference_of(std::span<const RunRecord> clean,
                            const RunRecord& chaos,
                            const std::vector<std::string>& ignored);

}  // namespace conga::cli
