// SPDX-License-Identifier: Apache-2.0
//
// Small files: read and replaced as a whole, so that a crash leaves the old text or the new one and
// nothing in between.

#pragma once

#include "common/core/result.h"
#include "common/io/files.h"

#include <string>
#include <string_view>

namespace conga {

/// All of it. Fails as Files::open() does; code `NotFound` if there is none.
Result<std::string> read_file(Files& files, const std::string& path);

/// Durable when it returns. The text is written to `PATH.new` first; `path` has a directory part.
Result<> replace_file(Files& files, const std::string& path, std::string_view text);

}  // namespace conga
