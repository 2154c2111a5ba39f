// SPDX-License-Identifier: Apache-2.0
//
// `conga chaos compare`: holds a run of the services under `conga chaos relay` against a clean run
// of the same input, and names the services that are not idempotent.

#pragma once

#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/io/files.h"

#include <string>
#include <vector>

namespace conga::cli {

struct CompareOptions {
  std::vector<std::string> clean{};      ///< journal.directory of each clean run; one or more.
  std::string chaos{};                   ///< That of the run under chaos.
  std::string deeds{};                   ///< What `chaos relay --json` printed; may be empty.
  std::vector<std::string> ignored{};    ///< JSON pointers into the event.
  std::vector<std::string> manifests{};  ///< Files that services' `--manifest` has made.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const CompareOptions& options);

/// Done: the runs say the same. Refused: they do not. Usage: they cannot be compared.
ExitCode compare_runs(Files& files, const CompareOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
