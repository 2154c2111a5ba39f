// SPDX-License-Identifier: Apache-2.0
//
// kVersion: the version that daemons and tools tell. The same as in the top meson.build; a unit
// test compares the two.

#pragma once

#include <string_view>

namespace conga {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace conga
