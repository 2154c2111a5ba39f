// SPDX-License-Identifier: Apache-2.0
//
// Status: how a booking stands, and which way it may go.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace conga::booking {

enum class Status : std::uint8_t { Created, Confirmed, Cancelled, Expired };

/// As stored and shown.
constexpr std::string_view name_of(Status status) {
  constexpr std::array<std::string_view, 4> kNames{"created", "confirmed", "cancelled", "expired"};
  return kNames[static_cast<std::size_t>(status)];
}

constexpr std::optional<Status> status_of(std::string_view name) {
  for (const Status status :
       {Status::Created, Status::Confirmed, Status::Cancelled, Status::Expired}) {
    if (name == name_of(status)) return status;
  }
  return std::nullopt;
}

/// What moves a booking.
enum class Trigger : std::uint8_t {
  Ticketed,
  NotPaid,   ///< The card was declined.
  Refunded,  ///< There was no seat.
  TimedOut,  ///< Nothing was heard for too long.
  GivenUp,   ///< By the customer.
};

struct Transition {
  Status from;
  Trigger trigger;
  Status to;
};

/// All there are: whatever else comes, late or again, changes nothing.
inline constexpr std::array<Transition, 6> kTransitions{{
    {Status::Created, Trigger::Ticketed, Status::Confirmed},
    {Status::Created, Trigger::NotPaid, Status::Cancelled},
    {Status::Created, Trigger::Refunded, Status::Cancelled},
    {Status::Created, Trigger::TimedOut, Status::Expired},
    {Status::Created, Trigger::GivenUp, Status::Cancelled},
    {Status::Confirmed, Trigger::GivenUp, Status::Cancelled},
}};

/// Where `trigger` moves a booking that is `from`; nothing: it stays.
constexpr std::optional<Status> next(Status from, Trigger trigger) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == from && transition.trigger == trigger) return transition.to;
  }
  return std::nullopt;
}

}  // namespace conga::booking
