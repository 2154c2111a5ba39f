// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/replay.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace conga::cli {

Result<ReplayPace> parse_speed(std::string_view text) {
  if (text.empty() || text == "max") return ReplayPace{};
  double speed = 0;
  const bool times = text.ends_with('x');
  const char* const end = text.data() + text.size() - (times ? 1 : 0);
  const auto read = std::from_chars(text.data(), end, speed);
  if (!times || read.ec != std::errc() || read.ptr != end || !std::isfinite(speed)
      || speed < 0.001) {
    return fail(Fault::Permanent,
                "'" + std::string(text) + "' is no speed: write 10x, 0.5x, or max");
  }
  return ReplayPace{.speed = speed};
}

std::string replay_name(WallTime now) {
  std::string name = "replay-" + format_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
  std::ranges::replace(name, ':', '-');
  return name;
}

PutOptions put_options_of(const ReplayOptions& options) {
  PutOptions put;
  put.input = "the archive";  // more than one event: each fault says of which
  put.rate = options.rate;
  put.patience = options.patience;
  put.quiet = true;
  put.rules = options.to.rules;
  put.targets = options.to.targets;
  return put;
}

}  // namespace conga::cli
