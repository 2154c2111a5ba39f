// SPDX-License-Identifier: Apache-2.0
//
// Pattern cases: one pattern against one event, both as JSON text, for `conga rules test` and for
// the conformance suite.

#pragma once

#include <string>
#include <string_view>

namespace conga::bus {

/// `true`, `false` or `invalid: REASON`.
std::string test_case(std::string_view pattern_json, std::string_view event_json);

/// As test_case(), but for `false` followed by `: ` and the first condition that failed.
std::string explain_case(std::string_view pattern_json, std::string_view event_json);

}  // namespace conga::bus
