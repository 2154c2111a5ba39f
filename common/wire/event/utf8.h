// SPDX-License-Identifier: Apache-2.0
//
// is_utf8: whether text may enter an event. Everything that becomes JSON must be UTF-8 (RFC 8259).

#pragma once

#include "common/io/little_endian.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace conga {

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
      seen |= load_little<Long>(at) | load_little<Long>(at + sizeof(Long))
              | load_little<Long>(at + 2 * sizeof(Long)) | load_little<Long>(at + 3 * sizeof(Long));
    }
    for (; end - at > std::ptrdiff_t{sizeof(Long)}; at += sizeof(Long))
      seen |= load_little<Long>(at);
    seen |= load_little<Long>(end - sizeof(Long));
  } else if (text.size() >= sizeof(Short)) {
    seen = load_little<Short>(at) | load_little<Short>(end - sizeof(Short));
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
