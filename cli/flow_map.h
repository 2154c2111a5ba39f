// SPDX-License-Identifier: Apache-2.0
//
// FlowMap: the choreography as it really happened: who sent which event to whom, how often, how
// long it took, and what failed. Fed with a journal's records in order.

#pragma once

#include "bus/rules/choreography.h"
#include "cli/journal_reader.h"
#include "common/core/clock.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::cli {

/// Of one event type from one to one other, by one rule.
struct FlowEdge {
  std::string from;  ///< The service, if it is known which one has the event's source; else that.
  std::string detail_type;
  std::string rule;
  std::string to;  ///< The target's name.
  std::uint64_t count = 0;
  std::uint64_t retries = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t pending = 0;  ///< Neither settled nor a dead letter yet.
  Duration oldest_pending{};  ///< Its age.
  Duration p50{};             ///< From ingestion until it was settled; 0: none was. So the next.
  Duration p99{};
};

class FlowMap {
public:
  /// `declared`: which service has which source. May be empty.
  explicit FlowMap(const std::vector<bus::Declaration>& declared);

  /// Events from `since` on, with what became of them.
  void set_since(WallTime since) { since_ = since; }

  void add(const JournalEntry& entry);

  /// By from, detail-type, rule and to. `now`: what ages are counted to.
  std::vector<FlowEdge> edges(WallTime now) const;

  std::uint64_t events() const { return events_; }

  /// From the first of these events to the last.
  Duration period() const { return events_ == 0 ? Duration(0) : last_ - first_; }

  /// Events that no rule sent anywhere, by source and detail-type.
  const std::map<std::pair<std::string, std::string>, std::uint64_t>& unmatched() const {
    return unmatched_;
  }

private:
  using EdgeKey = std::tuple<std::string, std::string, std::string, std::string>;

  struct EdgeData {
    std::uint64_t count = 0;
    std::uint64_t retries = 0;
    std::uint64_t dead_letters = 0;
    std::vector<std::uint32_t> took;  ///< Milliseconds.
  };

  /// A delivery that has not ended: its edge, and since when it is owed.
  struct Open {
    EdgeData* edge = nullptr;
    const bus::TargetName* target = nullptr;
    WallTime ingested;
  };

  void add_event(const JournalEntry& entry);
  void add_ending(const bus::SettledRecord& record);
  void add_retry(const bus::RetryRecord& record);
  Open* find(bus::Sequence sequence, const bus::TargetName& target);
  const std::string& node_of(const std::string& source) const;

  std::map<std::string, std::string> service_of_source_;
  WallTime since_;
  WallTime first_;
  WallTime last_;
  std::uint64_t events_ = 0;
  std::map<EdgeKey, EdgeData> edges_;  ///< Its nodes stay where they are.
  std::set<bus::TargetName> names_;
  std::unordered_map<bus::Sequence, std::vector<Open>> open_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> unmatched_;
};

/// Declared and never seen, then seen and never declared. Rules and targets tell arrows apart, and
/// what comes from outside is whatever no declared service emits.
struct FlowDifference {
  std::vector<bus::Arrow> unseen;
  std::vector<bus::Arrow> undeclared;
};

FlowDifference difference_of(const std::vector<FlowEdge>& seen,
                             const std::vector<bus::Arrow>& declared,
                             const std::vector<bus::Declaration>& services);

}  // namespace conga::cli
