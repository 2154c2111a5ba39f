// SPDX-License-Identifier: Apache-2.0

#include "common/core/ids.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <uuid/uuid.h>

namespace conga {
namespace {

/// Where the two digits of each byte stand in the text.
constexpr std::array<std::uint8_t, 16> kPlaces{
    0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::uint8_t value = 0; value < 16; ++value) {
    digits[static_cast<unsigned char>("0123456789abcdef"[value])] = value;
    digits[static_cast<unsigned char>("0123456789ABCDEF"[value])] = value;
  }
  return digits;
}();

constexpr std::array<std::array<char, 2>, 256> kPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    pairs[byte] = {"0123456789abcdef"[byte >> 4U], "0123456789abcdef"[byte & 0x0fU]};
  }
  return pairs;
}();

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid id;
  std::uint8_t worst = 0;
  for (std::size_t at = 0; at < kPlaces.size(); ++at) {
    const std::uint8_t high = kDigits[static_cast<unsigned char>(text[kPlaces[at]])];
    const std::uint8_t low = kDigits[static_cast<unsigned char>(text[kPlaces[at] + 1U])];
    worst |= high | low;
    id.bytes[at] = static_cast<std::uint8_t>(high << 4U | low);
  }
  if (worst == kNoDigit) return std::nullopt;
  return id;
}

Uuid Uuid::v5(const Uuid& space, std::string_view name) {
  Uuid id;
  uuid_generate_sha1(id.bytes.data(), space.bytes.data(), name.data(), name.size());
  return id;
}

std::string Uuid::text() const {
  std::string text(kTextSize, '-');
  for (std::size_t at = 0; at < kPlaces.size(); ++at) {
    std::memcpy(text.data() + kPlaces[at], kPairs[bytes[at]].data(), 2);
  }
  return text;
}

Uuid UuidFactory::make(WallTime now) {
  constexpr std::uint64_t kCounterMask = (1ULL << 42U) - 1;
  const auto millisecond =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.time_since_epoch().count() / 1000));
  if (millisecond > last_millisecond_) {
    last_millisecond_ = millisecond;
    counter_ = random_.bits() & (kCounterMask >> 1U);  // top bit clear: room to count up
  } else if (++counter_ > kCounterMask) {
    ++last_millisecond_;
    counter_ = 0;
  }
  const std::uint64_t high = last_millisecond_ << 16U | 0x7000U | ((counter_ >> 30U) & 0x0fffU);
  const std::uint64_t low =
      2ULL << 62U | (counter_ & 0x3fffffffU) << 32U | (random_.bits() & 0xffffffffU);
  Uuid id;
  for (std::size_t at = 0; at < 8; ++at) {
    id.bytes[at] = static_cast<std::uint8_t>(high >> (56 - 8 * at));
    id.bytes[at + 8] = static_cast<std::uint8_t>(low >> (56 - 8 * at));
  }
  return id;
}

}  // namespace conga
