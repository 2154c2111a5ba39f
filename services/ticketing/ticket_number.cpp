// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticket_number.h"

#include "common/core/check.h"

#include <algorithm>

namespace conga::ticketing {
namespace {

constexpr std::uint64_t kSerials = kTicketSerials;
constexpr std::size_t kDigits = 13;

}  // namespace

std::string ticket_number(std::uint32_t airline, std::uint64_t serial) {
  CONGA_CHECK(airline < 1000 && serial < kSerials, "the ticket's parts have 3 and 9 digits");
  const std::uint64_t body = airline * kSerials + serial;
  const std::string digits = std::to_string(body * 10 + body % 7);
  return std::string(kDigits - digits.size(), '0') + digits;
}

bool is_ticket_number(std::string_view text) {
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  if (text.size() != kDigits || !std::ranges::all_of(text, is_digit)) return false;
  std::uint64_t body = 0;
  for (const char digit : text.substr(0, kDigits - 1)) {
    body = body * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return static_cast<std::uint64_t>(text.back() - '0') == body % 7;
}

}  // namespace conga::ticketing
