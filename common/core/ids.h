// SPDX-License-Identifier: Apache-2.0
//
// Uuid: event ids (RFC 9562). Version 7 for new events, so that ids sort by time; version 5 for
// facts derived from an event, so that work done twice yields the same ids.

#pragma once

#include "common/core/clock.h"
#include "common/core/random.h"

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace conga {

struct Uuid {
  static constexpr std::size_t kTextSize = 36;

  std::array<std::uint8_t, 16> bytes{};

  /// Reads the 36-character form, either case, any version. Nothing else is accepted.
  static std::optional<Uuid> parse(std::string_view text);

  /// The name-based UUID (version 5, SHA-1) of `name` in `space`.
  static Uuid v5(const Uuid& space, std::string_view name);

  /// Lower case, with hyphens.
  std::string text() const;

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  /// As of the array, but inline: ids are compared a dozen times an event.
  friend bool operator==(const Uuid& one, const Uuid& other) {
    return std::memcmp(one.bytes.data(), other.bytes.data(), sizeof one.bytes) == 0;
  }

  /// All bits are good.
  std::uint64_t hash() const;
};

inline std::uint64_t Uuid::hash() const {
  // The halves of a version 7 id are time and chance; multiplying spreads either one upwards.
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  constexpr unsigned kHalf = 32;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, bytes.data(), sizeof high);
  std::memcpy(&low, bytes.data() + sizeof high, sizeof low);
  const std::uint64_t mixed = (high * kSpread ^ low) * kSpread;
  return mixed ^ mixed >> kHalf;
}

/// Makes version 7 UUIDs that ascend within one factory even inside a millisecond (RFC 9562 §6.2,
/// method 2) and when the wall clock steps back. One thread.
class UuidFactory {
public:
  /// `random` must outlive the factory.
  explicit UuidFactory(Random& random) : random_(random) {}

  Uuid make(WallTime now);

private:
  Random& random_;
  std::uint64_t last_millisecond_ = 0;
  std::uint64_t counter_ = 0;  ///< 42 bits: rand_a and the top of rand_b.
};

}  // namespace conga

template <>
struct std::hash<conga::Uuid> {
  std::size_t operator()(const conga::Uuid& id) const noexcept { return id.hash(); }
};
