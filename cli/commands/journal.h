// SPDX-License-Identifier: Apache-2.0
//
// `conga journal`: looks into a sidecar's journal without a bus: verifies it, prints its records,
// counts them. It only reads and takes no lock, so the sidecar may go on writing meanwhile.

#pragma once

#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/io/files.h"

#include <cstdint>
#include <string>

namespace conga::cli {

struct JournalOptions {
  enum class Action : std::uint8_t { Verify, Dump, Stats };

  Action action = Action::Stats;
  std::string directory{};
};

/// Refused if there is damage; Usage if the directory holds no journal that can be read.
ExitCode run_journal(Files& files, const JournalOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
