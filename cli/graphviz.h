// SPDX-License-Identifier: Apache-2.0
//
// Graphviz: draws a graph with the program `dot`, which Debian has in the package graphviz.

#pragma once

#include "common/core/result.h"

#include <string>

namespace conga::cli {

/// Writes the graph to standard output as SVG. Permanent if there is no `dot`, or it fails.
Result<> print_svg(const std::string& graph);

}  // namespace conga::cli
