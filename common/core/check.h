// SPDX-License-Identifier: Apache-2.0
//
// CONGA_CHECK: stops the process on a programming error, in every build type. Never use it on
// anything that input, a peer or the disk can make false: that is a Result.

#pragma once

#include <string_view>

namespace conga {

/// Writes file, line and `message` to standard error and aborts. Called by CONGA_CHECK.
[[noreturn]] void check_failed(const char* file, int line, std::string_view message);

}  // namespace conga

#define CONGA_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::conga::check_failed(__FILE__, __LINE__, (message)))
