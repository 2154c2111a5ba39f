// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/utf8.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace conga {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

bool is_ascii(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t seen = 0;
  for (; end - at >= std::ptrdiff_t{4 * kWord}; at += 4 * kWord) {
    seen |= word_at(at) | word_at(at + kWord) | word_at(at + 2 * kWord) | word_at(at + 3 * kWord);
  }
  for (; end - at >= std::ptrdiff_t{kWord}; at += kWord) seen |= word_at(at);
  // The last bytes with those before them, once more: a word is quicker than its bytes.
  if (at != end && text.size() >= kWord) seen |= word_at(end - kWord);
  if (text.size() < kWord) {
    for (; at != end; ++at) seen |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at));
  }
  return (seen & kHighBits) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  return is_ascii(text) || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace conga
