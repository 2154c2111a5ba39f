// SPDX-License-Identifier: Apache-2.0
//
// Progress: one line that says how far a long piece of work is, redrawn in place.

#pragma once

#include "cli/screen.h"
#include "common/core/clock.h"

#include <cstdint>
#include <optional>
#include <string>

namespace conga::cli {

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::optional<double> fraction{};  ///< 0 to 1, if the end is known.
  Duration elapsed{0};
};

/// ` 62% [######----] 1240 events, 3412/s, 1 refused, 2.1 s left`, at most `width` columns.
std::string progress_line(const Progress& progress, std::size_t width);

/// Events a second, rounded; `elapsed` of zero counts as a millisecond.
std::uint64_t rate_of(std::uint64_t count, Duration elapsed);

}  // namespace conga::cli
