// SPDX-License-Identifier: Apache-2.0
//
// `conga replay`: puts archived events once more, marked with the replay's name. It is `conga put`
// with another source of events.

#pragma once

#include "cli/archive.h"
#include "cli/commands/put.h"
#include "cli/replay_lines.h"
#include "common/io/files.h"

#include <memory>
#include <string>

namespace conga::cli {

struct ReplayOptions {
  ArchiveChoice choice{};
  std::string name{};   ///< Empty: of the time it begins.
  ReplayTo to{};        ///< Whom it is for.
  std::string speed{};  ///< `10x`, `max`; empty: max.
  double rate = 0;      ///< Events a second at most; 0: as fast as they are taken.
  Duration patience = std::chrono::seconds(30);
  std::string resume{};  ///< The name of one that was interrupted: the rest is as it was begun.
  std::string state{};   ///< Where it is kept how far it got; empty: by its name.
};

/// `10x`, `0.5x`, `max`.
Result<ReplayPace> parse_speed(std::string_view text);

/// `replay-2026-11-23T10-00-00Z`
std::string replay_name(WallTime now);

/// What will be the same whenever it is gone on with: times that are no ages, paths from the root,
/// the pattern itself. Of one to resume: what its state says. Permanent if there is no such state,
/// or no place for one.
Result<ReplayOptions> settled(Files& files, const ReplayOptions& options, WallTime now);

/// Keeps how far the replay of settled options got in its state. Permanent if another process is at
/// the same replay. `files` must outlive it.
Result<std::unique_ptr<Bookmark>> open_bookmark(Files& files, const ReplayOptions& options);

/// What Put needs to know.
PutOptions put_options_of(const ReplayOptions& options);

}  // namespace conga::cli
