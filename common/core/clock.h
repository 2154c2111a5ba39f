// SPDX-License-Identifier: Apache-2.0
//
// Time: the two readings of "now" that a turn works with, their text forms, and the Clock seam.
//
// Deadlines run on the steady reading, so a wall clock that jumps neither floods nor stalls them;
// the wall reading is for what people see and for what must survive a restart.

#pragma once

#include "common/core/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace conga {

using Duration = std::chrono::microseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Read once per turn by run() and passed down, so that time stands still within a turn.
struct Time {
  SteadyTime steady;
  WallTime wall;
};

class Clock {
public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
public:
  Time now() const override;
};

/// RFC 3339 in UTC with microseconds: `2026-11-23T06:27:40.123456Z`.
std::string format_rfc3339(WallTime time);

/// Accepts any RFC 3339 date-time (offset, 0-9 fraction digits; finer than a microsecond is cut).
Result<WallTime> parse_rfc3339(std::string_view text);

/// `150us`, `200ms`, `30s`, `5m`, `24h`, `2d`: a non-negative whole number and one unit.
Result<Duration> parse_duration(std::string_view text);

/// The shortest exact form that parse_duration() reads back: `1500ms`, `24h`, `0s`.
std::string format_duration(Duration duration);

}  // namespace conga
