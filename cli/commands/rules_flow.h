// SPDX-License-Identifier: Apache-2.0
//
// `conga rules flow`: the choreography that manifests and rules declare, as text, Mermaid or JSON.

#pragma once

#include "bus/rules/choreography.h"
#include "cli/commands/rules.h"
#include "cli/exit_code.h"
#include "cli/screen.h"

#include <string>
#include <vector>

namespace conga::cli {

/// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html): one arrow from each service
/// to each other, named after its events.
std::string mermaid_of(const std::vector<bus::Arrow>& arrows);

/// The same as a Graphviz graph (https://graphviz.org/doc/info/lang.html).
std::string dot_of(const std::vector<bus::Arrow>& arrows);

ExitCode show_flow(const RulesOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
