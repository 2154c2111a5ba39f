// SPDX-License-Identifier: Apache-2.0
//
// `conga replay`: puts archived events once more, marked with the replay's name. It is `conga put`
// with another source of events.

#pragma once

#include "cli/archive.h"
#include "cli/commands/put.h"
#include "cli/replay_lines.h"

#include <string>

namespace conga::cli {

struct ReplayOptions {
  ArchiveChoice choice{};
  std::string name{};   ///< Empty: of the time it begins.
  ReplayTo to{};        ///< Whom it is for.
  std::string speed{};  ///< `10x`, `max`; empty: max.
  double rate = 0;      ///< Events a second at most; 0: as fast as they are taken.
  Duration patience = std::chrono::seconds(30);
};

/// `10x`, `0.5x`, `max`.
Result<ReplayPace> parse_speed(std::string_view text);

/// `replay-2026-11-23T10-00-00Z`
std::string replay_name(WallTime now);

/// What Put needs to know.
PutOptions put_options_of(const ReplayOptions& options);

}  // namespace conga::cli
