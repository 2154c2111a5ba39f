// SPDX-License-Identifier: Apache-2.0
//
// How the matcher's tables know a text: up to 16 bytes as two words that are the text itself, so
// that neither hashing nor comparing it loops or calls anything; a longer one by its hash, and the
// bytes are compared. The keys come from rules and not from events: quick hashes, and no defence
// against keys that were made to collide.

#pragma once

#include "common/io/little_endian.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace conga::bus {

inline std::uint64_t mix(std::uint64_t bits) {
  bits *= 0x9E3779B97F4A7C15ULL;
  return bits ^ bits >> 29U;
}

/// Eight bytes at a time.
inline std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = text.size() * 0xD6E8FEB86659FD93ULL;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) hash = mix(hash ^ load_little<std::uint64_t>(at));
  std::uint64_t word = 0;
  for (std::size_t index = 0; index < left; ++index) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[index])) << 8U * index;
  }
  return mix(hash ^ word);
}

/// Two words that with the size are the text, if it is no longer than kSize.
struct ShortText {
  static constexpr std::size_t kSize = 16;

  std::uint64_t low = 0;
  std::uint64_t high = 0;

  static ShortText of(std::string_view text) {
    const char* const at = text.data();
    const std::size_t size = text.size();
    if (size >= 8)
      return {load_little<std::uint64_t>(at), load_little<std::uint64_t>(at + size - 8)};
    if (size >= 4) {
      const std::uint64_t last = load_little<std::uint32_t>(at + size - 4);
      return {load_little<std::uint32_t>(at) | last << 32U, 0};
    }
    if (size == 0) return {};
    const auto byte = [at](std::size_t index) {
      return std::uint64_t{static_cast<unsigned char>(at[index])};
    };
    return {byte(0) | byte(size / 2) << 8U | byte(size - 1) << 16U, 0};
  }

  std::uint32_t hash(std::uint64_t seed) const {
    const std::uint64_t both = low ^ std::rotl(high, 29) ^ seed * 0xD6E8FEB86659FD93ULL;
    return static_cast<std::uint32_t>(both * 0x9E3779B97F4A7C15ULL >> 32U);
  }

  friend bool operator==(const ShortText&, const ShortText&) = default;
};

/// One byte at a time, so that the hashes of all prefixes (or, from the back, suffixes) of a text
/// come from one pass over it.
class RunningHash {
public:
  void add(char letter) { hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL; }

  std::uint64_t value() const { return mix(hash_); }

private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

inline char ascii_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

/// ascii_lower() of each of the eight bytes.
inline std::uint64_t ascii_lower(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  const std::uint64_t low_bits = word & 0x7F * kEach;
  const std::uint64_t from_a = low_bits + (0x80 - 'A') * kEach;
  const std::uint64_t behind_z = low_bits + (0x7F - 'Z') * kEach;
  const std::uint64_t upper = ~word & (from_a ^ behind_z) & 0x80 * kEach;
  return word | upper >> 2U;
}

/// Whether one of the eight bytes is `letter`.
inline bool has_byte(std::uint64_t word, char letter) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  const std::uint64_t zero_there = word ^ static_cast<unsigned char>(letter) * kEach;
  return ((zero_there - kEach) & ~zero_there & 0x80 * kEach) != 0;
}

}  // namespace conga::bus
