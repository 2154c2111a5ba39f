// SPDX-License-Identifier: Apache-2.0
//
// is_utf8: whether text may enter an event. Everything that becomes JSON must be UTF-8 (RFC 8259).

#pragma once

#include <string_view>

namespace conga {

/// Quick for ASCII, which most event text is.
bool is_utf8(std::string_view text);

}  // namespace conga
