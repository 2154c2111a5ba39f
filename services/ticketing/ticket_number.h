// SPDX-License-Identifier: Apache-2.0
//
// Ticket numbers: 13 digits, as airlines write them: 3 of the airline (IATA's accounting code),
// 9 of a serial, and a check digit, which is the 12 digits before it modulo 7 (IATA Resolution
// 722: "unweighted modulus 7").

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace conga::ticketing {

inline constexpr std::int64_t kTicketSerials = 1'000'000'000;

/// `airline`: 0 to 999. `serial`: 0 to 999 999 999.
std::string ticket_number(std::uint32_t airline, std::uint64_t serial);

/// 13 digits with the right last one.
bool is_ticket_number(std::string_view text);

}  // namespace conga::ticketing
