// SPDX-License-Identifier: Apache-2.0

#include "cli/progress.h"

#include "cli/text.h"

#include <algorithm>
#include <cmath>

namespace conga::cli {
namespace {

constexpr std::size_t kBar = 24;

std::string bar(double fraction) {
  const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(kBar));
  return "[" + std::string(filled, '#') + std::string(kBar - filled, '-') + "] ";
}

std::string percent(double fraction) {
  const std::string digits = std::to_string(static_cast<int>(fraction * 100.0));
  return std::string(3 - std::min<std::size_t>(3, digits.size()), ' ') + digits + "% ";
}

}  // namespace

std::uint64_t rate_of(std::uint64_t count, Duration elapsed) {
  const auto micros = static_cast<double>(std::max<std::int64_t>(elapsed.count(), 1000));
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * 1e6 / micros));
}

std::string progress_line(const Progress& progress, std::size_t width) {
  std::string line;
  if (progress.fraction) {
    const double fraction = std::clamp(*progress.fraction, 0.0, 1.0);
    line += percent(fraction) + bar(fraction);
  }
  line += counted(progress.done, "event") + ", "
          + std::to_string(rate_of(progress.done, progress.elapsed)) + "/s";
  if (progress.refused > 0) line += ", " + std::to_string(progress.refused) + " refused";
  if (progress.fraction && *progress.fraction > 0.0 && *progress.fraction < 1.0) {
    const auto elapsed = static_cast<double>(progress.elapsed.count());
    const double left = elapsed / *progress.fraction - elapsed;
    line += ", " + human_duration(Duration(static_cast<std::int64_t>(left))) + " left";
  }
  return line.size() > width ? line.substr(0, width) : line;
}

}  // namespace conga::cli
