// SPDX-License-Identifier: Apache-2.0

#include "services/notification/carrier.h"

#include <algorithm>

namespace conga::notification {

std::string server_words(std::string_view said) {
  constexpr std::size_t kMost = 300;
  std::string words(said.substr(0, std::min(kMost, said.find_first_of("\r\n"))));
  std::ranges::replace_if(
      words, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return words;
}

}  // namespace conga::notification
