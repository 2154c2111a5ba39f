// SPDX-License-Identifier: Apache-2.0
//
// measure_sidecar(): writes what a sidecar counts onto a page of metrics. docs/metrics.md says what
// each one means.

#pragma once

#include "bus/sidecar/answers.h"
#include "bus/sidecar/delivery_engine.h"
#include "common/core/clock.h"
#include "common/metrics/metrics.h"

#include <cstdint>
#include <map>
#include <string>

namespace conga::bus {

/// What became of the dead letters of one target; kept by name, for a loop may have none.
struct LetterCounts {
  std::uint64_t sent = 0;            ///< Stored in the dead-letter queue.
  std::uint64_t failed_to_send = 0;  ///< Tries to store one that failed.
  std::uint64_t failed = 0;          ///< Deliveries given up that were not stored at the first try.
};

using LetterCountsByTarget = std::map<TargetName, LetterCounts>;

void measure_sidecar(const Time& now,
                     const std::string& bus,
                     const StatusFacts& facts,
                     const DeliveryEngine& engine,
                     const LetterCountsByTarget& letters,
                     MetricsPage& page);

}  // namespace conga::bus
