// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules.h"

namespace conga::cli {

std::string fault_of(const RulesOptions& options) {
  if (options.action != RulesOptions::Action::Test) return "";
  if (!options.cases.empty() || !options.pattern.empty()) return "";
  return "rules test: give --pattern and --event, or --cases";
}

}  // namespace conga::cli
