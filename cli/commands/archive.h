// SPDX-License-Identifier: Apache-2.0
//
// `conga archive`: what a sidecar's journal and the archives of the rules keep: listed, counted, or
// exported as JSON lines. Needs no bus.

#pragma once

#include "cli/archive.h"
#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/io/files.h"

#include <cstdint>

namespace conga::cli {

struct ArchiveOptions {
  enum class Action : std::uint8_t { List, Stats, Export };

  Action action = Action::Stats;
  ArchiveChoice choice{};
};

/// Refused if the journal cannot be read, or not all of it.
ExitCode run_archive(
    Files& files, const ArchiveOptions& options, WallTime now, Screen& screen, Look look);

}  // namespace conga::cli
