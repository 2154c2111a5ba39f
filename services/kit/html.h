// SPDX-License-Identifier: Apache-2.0
//
// Text inside HTML.

#pragma once

#include <string>
#include <string_view>

namespace conga::kit {

/// What HTML would read as markup is escaped: fit for element content and quoted attributes.
inline std::string html_escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += letter;
    }
  }
  return escaped;
}

}  // namespace conga::kit
