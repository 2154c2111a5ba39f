// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/rules_text.h"

#include "common/config/config_reader.h"
#include "common/core/check.h"

#include <regex>

namespace conga::simulation {
namespace {

std::string read_rules() {
  const auto text = read_text_file(CONGA_RULES_FILE);
  CONGA_CHECK(text.has_value(), "config/rules.yaml can be read");
  const std::regex retry("\n( *)retry: \\{[^\n]*");
  const std::regex timeout("\n *ack-timeout: [^\n]*");
  return std::regex_replace(
      std::regex_replace(*text, timeout, ""),
      retry,
      "\n$1retry: {backoff: {initial: 100ms, factor: 2, max: 1s, jitter: full}}"
      "\n$1ack-timeout: "
          + format_duration(kAckTimeout));
}

}  // namespace

const std::string& rules_text() {
  static const std::string kText = read_rules();
  return kText;
}

}  // namespace conga::simulation
