// SPDX-License-Identifier: Apache-2.0
//
// Wildcard: a text with `*` for any run of characters. Matching is linear in the text: the parts
// between the stars are looked for from left to right and never again, however many stars there
// are.

#pragma once

#include "common/core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class Wildcard {
public:
  /// `\*` and `\\` are the characters; `**` and any other escape are refused.
  static Result<Wildcard> parse(std::string_view text);

  bool matches(std::string_view text) const;

  /// The parts between the stars, of which there is one less. The first and the last are anchored.
  const std::vector<std::string>& parts() const { return parts_; }

private:
  explicit Wildcard(std::vector<std::string> parts) : parts_(std::move(parts)) {}

  std::vector<std::string> parts_;
};

}  // namespace conga::bus
