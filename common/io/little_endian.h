// SPDX-License-Identifier: Apache-2.0
//
// Little-endian integers in byte buffers, at any alignment: the byte order of everything on disk,
// and of words that are only compared.

#pragma once

#include <bit>
#include <concepts>
#include <cstring>

namespace conga {

template <std::integral Integer>
Integer load_little(const char* from) {
  static_assert(std::endian::native == std::endian::little, "add a byte swap for this machine");
  Integer value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Returns the first byte behind the integer.
template <std::integral Integer>
char* store_little(char* to, Integer value) {
  static_assert(std::endian::native == std::endian::little, "add a byte swap for this machine");
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

}  // namespace conga
