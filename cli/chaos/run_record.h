// SPDX-License-Identifier: Apache-2.0
//
// RunRecord: what a run of the services said, as far as it can be compared with another run. Fed
// with the records of the run's journal.

#pragma once

#include "cli/journal_reader.h"
#include "common/core/ids.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::cli {

/// What an event says, its leaves by JSON pointer: `/detail/seat` is `"12A"`. Without what is its
/// own in every run: id, times, hops, and by what it is grouped.
using Facts = std::map<std::string, std::string>;

/// The leaves of `value`, with `prefix` before each pointer.
void flatten(const Value& value, const std::string& prefix, Facts& into);

/// A failed attempt, after which the event was delivered to the target once more.
struct Redelivery {
  std::string target;
  std::string code;
};

struct RunEvent {
  Uuid id;
  std::optional<Uuid> cause;
  std::string source;
  std::string detail_type;
  std::string correlation_id;
  Facts facts;
  std::vector<bus::TargetName> targets;
  std::vector<Redelivery> redeliveries = {};
};

struct DeadDelivery {
  const RunEvent* event = nullptr;
  std::string target;
  std::string code;
};

/// Moves, but is never copied: what is handed out points into it, and stays good when it moves.
class RunRecord {
public:
  RunRecord() = default;
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;
  RunRecord(RunRecord&&) = default;
  RunRecord& operator=(RunRecord&&) = default;
  ~RunRecord() = default;

  void add(const JournalEntry& entry);

  /// As they were accepted; they stay where they are.
  const std::deque<RunEvent>& events() const { return events_; }

  /// Null if the run had no such event.
  const RunEvent* find(const Uuid& id) const;

  const std::vector<DeadDelivery>& dead_letters() const { return dead_letters_; }

  /// Deliveries that had not ended: the run was not over.
  std::size_t pending() const { return open_.size(); }

private:
  void add_event(const JournalEntry& entry);
  void add_retry(const bus::RetryRecord& record);
  void add_ending(const bus::SettledRecord& record);

  std::deque<RunEvent> events_;
  std::unordered_map<Uuid, const RunEvent*> by_id_;
  std::unordered_map<bus::Sequence, RunEvent*> by_sequence_;
  std::vector<DeadDelivery> dead_letters_;
  std::set<std::pair<bus::Sequence, bus::TargetName>> open_;
};

}  // namespace conga::cli
