// SPDX-License-Identifier: Apache-2.0
//
// TraceSource: answers "what became of this event, and of the flow it belongs to". It learns by
// following the journal, off the hot path, and can always be rebuilt from it.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

/// One try at a delivery, from RetryRecords and the SettledRecord.
struct TracedAttempt {
  std::uint32_t number = 0;  ///< 1 for the first.
  std::string instance;
  std::optional<WallTime> sent;
  std::optional<WallTime> ended;
  std::string outcome;  ///< `ok`, `retry` (it failed), or `dead-letter` (it was the last).
  std::string code;     ///< Why it failed; so the next.
  std::string message;
};

struct TracedDelivery {
  TargetName target;
  std::string outcome;  ///< `pending`, `ok` or `dead-letter`.
  std::vector<TracedAttempt> attempts;
};

struct TracedEvent {
  Sequence sequence = 0;
  WallTime ingested;
  std::string bytes;  ///< As the publisher encoded it.
  std::vector<TracedDelivery> deliveries;
};

class TraceSource {
public:
  TraceSource() = default;
  TraceSource(const TraceSource&) = delete;
  TraceSource& operator=(const TraceSource&) = delete;
  virtual ~TraceSource() = default;

  /// Reads on in the journal, a bounded amount; called about once a turn. True: there is more.
  virtual Result<bool> follow(EventStore& store) = 0;

  /// The event called `id` and all that share its correlation id; or all with the correlation id
  /// `id`. In sequence order, at most `limit`; empty: none is known.
  virtual Result<std::vector<TracedEvent>> trace(EventStore& store,
                                                 std::string_view id,
                                                 std::size_t limit) = 0;
};

}  // namespace conga::bus
