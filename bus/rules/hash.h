// SPDX-License-Identifier: Apache-2.0
//
// Hashes for the matcher's tables, whose keys come from rules and not from events: quick, and no
// defence against keys that were made to collide.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t word = 0;
  for (std::size_t index = 0; index < left; ++index) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[index])) << 8U * index;
  }
  return mix(hash ^ word);
}

/// One byte at a time, so that the hashes of all prefixes (or, from the back, suffixes) of a text
/// come from one pass over it.
class RunningHash {
public:
  void add(char letter) { hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL; }

  std::uint64_t value() const { return mix(hash_); }

private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace conga::bus
