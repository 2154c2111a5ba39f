// SPDX-License-Identifier: Apache-2.0

#include "common/io/crc32c.h"

#include "common/io/little_endian.h"

#include <array>
#include <bit>
#include <cstddef>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace conga {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Bits reversed, as the CRC works.
constexpr std::size_t kSlices = 8;

using Table = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// `[slice][byte]`: the effect of `byte` with `slice` bytes after it.
constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    table[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = table[slice - 1][byte];
      table[slice][byte] = (before >> 8U) ^ table[0][before & 0xffU];
    }
  }
  return table;
}

constexpr Table kTable = make_table();

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint64_t state = ~crc;
  for (; end - at >= 8; at += 8) state = _mm_crc32_u64(state, load_little<std::uint64_t>(at));
  auto rest = static_cast<std::uint32_t>(state);
  for (; at != end; ++at) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*at));
  return ~rest;
}

bool has_instruction() {
  static const bool kFound = __builtin_cpu_supports("sse4.2") != 0;
  return kFound;
}

#endif

}  // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint32_t state = ~crc;
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = load_little<std::uint64_t>(at);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    word ^= state;
    state = 0;
    for (std::size_t slice = 0; slice < kSlices; ++slice) {
      state ^= kTable[kSlices - 1 - slice][(word >> (8 * slice)) & 0xffU];
    }
  }
  for (; at != end; ++at) {
    state = (state >> 8U) ^ kTable[0][(state ^ static_cast<unsigned char>(*at)) & 0xffU];
  }
  return ~state;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  if (has_instruction()) return crc32c_by_instruction(bytes, crc);
#endif
  return crc32c_by_table(bytes, crc);
}

}  // namespace conga
