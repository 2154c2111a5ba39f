// SPDX-License-Identifier: Apache-2.0

#include "common/core/ids.h"

#include <algorithm>
#include <cstring>
#include <uuid/uuid.h>

namespace conga {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

constexpr bool is_hyphen_position(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

std::optional<std::uint8_t> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<std::uint8_t>(digit - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  Uuid id;
  std::size_t digits = 0;
  for (std::size_t at = 0; at < kTextSize; ++at) {
    if (is_hyphen_position(at)) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const auto digit = hex_digit(text[at]);
    if (!digit) return std::nullopt;
    std::uint8_t& byte = id.bytes[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | *digit);
    ++digits;
  }
  return id;
}

Uuid Uuid::v5(const Uuid& space, std::string_view name) {
  Uuid id;
  uuid_generate_sha1(id.bytes.data(), space.bytes.data(), name.data(), name.size());
  return id;
}

std::string Uuid::text() const {
  std::string text(kTextSize, '-');
  std::size_t digits = 0;
  for (std::size_t at = 0; at < kTextSize; ++at) {
    if (is_hyphen_position(at)) continue;
    const std::uint8_t byte = bytes[digits / 2];
    text[at] = kHex[digits % 2 == 0 ? byte >> 4U : byte & 0x0fU];
    ++digits;
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

std::size_t std::hash<conga::Uuid>::operator()(const conga::Uuid& id) const noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, id.bytes.data(), 8);
  std::memcpy(&low, id.bytes.data() + 8, 8);
  return (high * 0x9e3779b97f4a7c15ULL) ^ low;
}
