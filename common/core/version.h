// SPDX-License-Identifier: Apache-2.0
//
// kVersion: what --version and the bus's hello say. meson.build sets it, once for all.

#pragma once

#include <string_view>

namespace conga {

inline constexpr std::string_view kVersion = CONGA_VERSION;

}  // namespace conga
