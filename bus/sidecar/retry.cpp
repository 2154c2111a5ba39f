// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/retry.h"

#include <algorithm>
#include <cmath>

namespace conga::bus {

Duration backoff_ceiling(const RetryPolicy& policy, std::uint32_t failed) {
  const double exponent = failed > 0 ? static_cast<double>(failed - 1) : 0.0;
  const auto initial = static_cast<double>(policy.backoff_initial.count());
  const auto longest = static_cast<double>(policy.backoff_max.count());
  // 10^185 is far above what an integer holds, so the cut comes before the conversion.
  const double wait = std::min(initial * std::pow(policy.backoff_factor, exponent), longest);
  return Duration(static_cast<Duration::rep>(std::max(wait, 0.0)));
}

Duration backoff(const RetryPolicy& policy, std::uint32_t failed, Random& random) {
  const Duration ceiling = backoff_ceiling(policy, failed);
  if (policy.jitter == RetryPolicy::Jitter::None) return ceiling;
  return Duration(
      static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

}  // namespace conga::bus
