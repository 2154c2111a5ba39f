// SPDX-License-Identifier: Apache-2.0
//
// TargetCounters: what is counted of one target of one rule, with the meanings that Amazon
// EventBridge gives its metrics of the same names:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html

#pragma once

#include "common/metrics/metrics.h"

#include <cstdint>

namespace conga::bus {

struct TargetCounters {
  std::uint64_t invocations = 0;     ///< Deliveries that were tried and have ended, well or not.
  std::uint64_t attempts = 0;        ///< Deliveries sent, each time.
  std::uint64_t retry_attempts = 0;  ///< Of them: not the first of their delivery.
  std::uint64_t successful_attempts = 0;  ///< Of them: settled ok.

  LatencyCounts to_start;     ///< From ingestion until the first attempt was sent.
  LatencyCounts to_complete;  ///< From ingestion until the first attempt ended, well or not.
  LatencyCounts to_success;   ///< From ingestion until it was settled ok.
};

}  // namespace conga::bus
