// SPDX-License-Identifier: Apache-2.0
//
// CRC32C (Castagnoli, RFC 3720 appendix B.4): finds every burst of up to 32 flipped bits. Uses the
// CPU's instruction where it has one (SSE4.2), tables elsewhere; both give the same.

#pragma once

#include <cstdint>
#include <string_view>

namespace conga {

/// The CRC of `bytes`, or of what `crc` is the CRC of followed by `bytes`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

/// The same without the instruction, for processors that lack it and for the tests.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace conga
