// SPDX-License-Identifier: Apache-2.0
//
// is_utf8: whether text may enter an event. Everything that becomes JSON must be UTF-8 (RFC 8259).

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace conga {

/// The first bytes of what is at `at`, as a number.
template <class Word>
Word word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Here and not in a file of its own, since most texts are so short that a call would show.
inline bool is_ascii(std::string_view text) {
  using Long = std::uint64_t;
  using Short = std::uint32_t;
  constexpr Long kHighBits = 0x8080808080808080ULL;
  const char* at = text.data();
  const char* const end = at + text.size();
  Long seen = 0;
  // The last bytes are read with those before them, once more: a word is quicker than its bytes.
  if (text.size() >= sizeof(Long)) {
    for (; end - at > std::ptrdiff_t{4 * sizeof(Long)}; at += 4 * sizeof(Long)) {
      seen |= word_at<Long>(at) | word_at<Long>(at + sizeof(Long))
              | word_at<Long>(at + 2 * sizeof(Long)) | word_at<Long>(at + 3 * sizeof(Long));
    }
    for (; end - at > std::ptrdiff_t{sizeof(Long)}; at += sizeof(Long)) seen |= word_at<Long>(at);
    seen |= word_at<Long>(end - sizeof(Long));
  } else if (text.size() >= sizeof(Short)) {
    seen = word_at<Short>(at) | word_at<Short>(end - sizeof(Short));
  } else {
    for (; at != end; ++at) seen |= static_cast<unsigned char>(*at);
  }
  return (seen & kHighBits) == 0;
}

/// As is_utf8(), by way of every character.
bool is_utf8_by_character(std::string_view text);

/// Quick for ASCII, which most event text is.
inline bool is_utf8(std::string_view text) {
  return is_ascii(text) || is_utf8_by_character(text);
}

}  // namespace conga
