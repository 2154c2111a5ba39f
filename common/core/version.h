// SPDX-License-Identifier: Apache-2.0
//
// The version of all of conga, as meson.build has it: `--version` and the status verbs show it.

#pragma once

#include <string_view>

namespace conga {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace conga
