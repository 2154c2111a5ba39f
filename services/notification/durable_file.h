// SPDX-License-Identifier: Apache-2.0
//
// A file that is there whole or not at all, whenever the power goes.

#pragma once

#include "common/core/result.h"

#include <string>
#include <string_view>

namespace conga::notification {

/// Makes `folder` and those above it. Transient, code `MailboxUnavailable`, if that cannot be.
Result<> make_folder(const std::string& folder);

/// Writes `temporary` and moves it to `folder`/`name`, which is replaced if it is there. Both are
/// on the same file system. Durable when it returns. Transient, code `MailboxUnavailable`.
Result<> write_durably(const std::string& temporary,
                       const std::string& folder,
                       const std::string& name,
                       std::string_view text);

}  // namespace conga::notification
