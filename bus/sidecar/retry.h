// SPDX-License-Identifier: Apache-2.0
//
// Retry: how long a failed delivery waits before its next attempt.

#pragma once

#include "bus/sidecar/link.h"
#include "common/core/clock.h"
#include "common/core/random.h"

#include <cstdint>

namespace conga::bus {

/// The longest wait after the `failed`th attempt (1: the first): initial × factor^(failed - 1), at
/// most `backoff_max`.
Duration backoff_ceiling(const RetryPolicy& policy, std::uint32_t failed);

/// The wait itself. Full jitter spreads it evenly over [0, ceiling], so that deliveries that failed
/// together do not come back together:
/// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
Duration backoff(const RetryPolicy& policy, std::uint32_t failed, Random& random);

}  // namespace conga::bus
