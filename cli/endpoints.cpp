// SPDX-License-Identifier: Apache-2.0

#include "cli/endpoints.h"

#include <array>
#include <utility>

namespace conga::cli {

std::string connectable(std::string_view endpoint) {
  using Spelling = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Spelling, 3> kSpellings{{{"tcp://*:", "tcp://127.0.0.1:"},
                                                {"tcp://0.0.0.0:", "tcp://127.0.0.1:"},
                                                {"tcp://[::]:", "tcp://[::1]:"}}};
  for (const Spelling& spelling : kSpellings) {
    if (!endpoint.starts_with(spelling.first)) continue;
    return std::string(spelling.second) + std::string(endpoint.substr(spelling.first.size()));
  }
  return std::string(endpoint);
}

}  // namespace conga::cli
