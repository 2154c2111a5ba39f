// SPDX-License-Identifier: Apache-2.0
//
// Arguments: the command line as data. CLI11 stays behind this seam.

#pragma once

#include "cli/commands/archive.h"
#include "cli/commands/audit.h"
#include "cli/commands/chaos.h"
#include "cli/commands/dlq.h"
#include "cli/commands/journal.h"
#include "cli/commands/map.h"
#include "cli/commands/put.h"
#include "cli/commands/replay.h"
#include "cli/commands/rules.h"
#include "cli/commands/status.h"
#include "cli/commands/tap.h"
#include "cli/commands/target.h"
#include "cli/commands/top.h"
#include "cli/commands/trace.h"
#include "cli/commands/why.h"
#include "cli/exit_code.h"
#include "common/core/clock.h"

#include <optional>
#include <string>
#include <variant>

namespace conga::cli {

using CommandOptions = std::variant<PutOptions,
                                    TapOptions,
                                    TraceOptions,
                                    DlqOptions,
                                    AuditOptions,
                                    RulesOptions,
                                    StatusOptions,
                                    TopOptions,
                                    TargetOptions,
                                    JournalOptions,
                                    MapOptions,
                                    ArchiveOptions,
                                    ReplayOptions,
                                    WhyOptions,
                                    ChaosOptions>;

struct Arguments {
  std::string config{};   ///< A bus.yaml to take the endpoints from; empty: none given.
  std::string publish{};  ///< Empty: not given; so the next.
  std::string subscribe{};
  Duration timeout = std::chrono::seconds(3);
  bool json = false;
  CommandOptions command{};
};

/// Either arguments to work with, or what to print instead: help, the version, a usage fault.
struct Parsed {
  std::optional<Arguments> arguments;
  std::string text;
  ExitCode code = ExitCode::Done;  ///< Done: `text` goes to standard output, else to error.
};

Parsed parse_arguments(int argc, const char* const* argv);

}  // namespace conga::cli
