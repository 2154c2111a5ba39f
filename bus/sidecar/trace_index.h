// SPDX-License-Identifier: Apache-2.0
//
// TraceIndex: from event ids and correlation ids to the journal, in a SQLite database that people
// can query too. It follows the journal and stores its cursor in the same transaction as what it
// read, so it may lag but never skips; deleting its file has it built anew.

#pragma once

#include "bus/sidecar/database.h"
#include "bus/sidecar/trace_source.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

struct TraceIndexOptions {
  std::size_t batch = 128;  ///< Journal records per follow(): below a millisecond of work.
};

class TraceIndex final : public TraceSource {
public:
  static Result<std::unique_ptr<TraceIndex>> open(const std::string& path,
                                                  TraceIndexOptions options = {});

  /// On an open database. What a predecessor did not commit is rolled back.
  static Result<std::unique_ptr<TraceIndex>> open(DatabaseHandle database,
                                                  TraceIndexOptions options = {});

  ~TraceIndex() override;

  /// Also forgets events that the journal has dropped.
  Result<bool> follow(EventStore& store) override;

  Result<std::vector<TracedEvent>> trace(EventStore& store,
                                         std::string_view id,
                                         std::size_t limit) override;

private:
  struct Statements;

  using Attempts = std::map<TargetName, std::vector<TracedAttempt>>;

  TraceIndex(DatabaseHandle database, TraceIndexOptions options);

  Result<> start();
  Result<> record(const std::vector<JournalEntry>& entries, const std::string& cursor);
  void record_event(const JournalEntry& entry);
  void record_settled(const SettledRecord& settled);
  void record_retry(const RetryRecord& retry);
  Result<> prune(EventStore& store);
  Result<std::vector<EventRef>> find(std::string_view id, std::size_t limit);
  Result<Attempts> attempts_of(Sequence sequence);

  const DatabaseHandle database_;
  const TraceIndexOptions options_;
  std::unique_ptr<Statements> statements_;
  std::string cursor_;
  std::size_t until_prune_ = 0;
};

}  // namespace conga::bus
