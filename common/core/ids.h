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
};

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
  std::size_t operator()(const conga::Uuid& id) const noexcept;
};
