// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/wildcard.h"

#include <cstring>

namespace conga::bus {

Result<Wildcard> Wildcard::parse(std::string_view text) {
  std::vector<std::string> parts(1);
  bool after_star = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '*') {
      if (after_star) return fail(Fault::Permanent, "two stars in a row; one means the same");
      parts.emplace_back();
      after_star = true;
      continue;
    }
    after_star = false;
    if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '*' && text[at] != '\\')) {
        return fail(Fault::Permanent, "a backslash may only stand before '*' or another backslash");
      }
    }
    parts.back() += text[at];
  }
  return Wildcard(std::move(parts));
}

bool Wildcard::matches(std::string_view text) const {
  const std::string& first = parts_.front();
  const std::string& last = parts_.back();
  if (parts_.size() == 1) return text == first;
  if (text.size() < first.size() + last.size()) return false;
  // The end first: it tells most texts apart, where many patterns begin alike.
  if (!text.ends_with(last) || !text.starts_with(first)) return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (std::size_t index = 1; index + 1 < parts_.size(); ++index) {
    const std::string& part = parts_[index];
    // Not string_view::find(), whose time grows with the product of the sizes.
    const void* const found = memmem(text.data(), text.size(), part.data(), part.size());
    if (found == nullptr) return false;
    text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data())
                       + part.size());
  }
  return true;
}

}  // namespace conga::bus
