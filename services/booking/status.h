// SPDX-License-Identifier: Apache-2.0
//
// Status: how a booking stands, and which way it may go.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace conga::booking {

enum class Status : std::uint8_t { Created, Confirmed, Cancelled };

/// As stored and shown.
constexpr std::string_view name_of(Status status) {
  constexpr std::array<std::string_view, 3> kNames{"created", "confirmed", "cancelled"};
  return kNames[static_cast<std::size_t>(status)];
}

struct Transition {
  Status from;
  Status to;
};

/// Confirmed and cancelled are final.
inline constexpr std::array<Transition, 2> kTransitions{
    {{Status::Created, Status::Confirmed}, {Status::Created, Status::Cancelled}}};

constexpr bool is_allowed(Status from, Status to) {
  return std::ranges::any_of(kTransitions, [from, to](const Transition& transition) {
    return transition.from == from && transition.to == to;
  });
}

}  // namespace conga::booking
