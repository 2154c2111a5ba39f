// SPDX-License-Identifier: Apache-2.0
//
// Declarations: what services say of themselves, from files that their `--manifest` has made.

#pragma once

#include "bus/rules/choreography.h"
#include "common/core/result.h"

#include <string>
#include <vector>

namespace conga::cli {

/// Permanent, with the file's name, for the first that is no manifest.
Result<std::vector<bus::Declaration>> load_declarations(const std::vector<std::string>& paths);

}  // namespace conga::cli
