// SPDX-License-Identifier: Apache-2.0
//
// Money as people read it.

#pragma once

#include "services/contract/currency.h"
#include "services/contract/events.h"

#include <string>

namespace conga::contract {

/// Minor units with as many decimals as the currency has: `123.00` for 12300 EUR, `12300` for JPY.
inline std::string decimal_text(std::int64_t amount, std::string_view currency) {
  const unsigned decimals = decimals_of(currency).value_or(0);
  const bool negative = amount < 0;
  std::string digits = std::to_string(amount);
  if (negative) digits.erase(0, 1);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - decimals, ".");
  return (negative ? "-" : "") + digits;
}

/// `123.00 EUR`
inline std::string money_text(const Money& money) {
  return decimal_text(money.amount, money.currency) + " " + money.currency;
}

}  // namespace conga::contract
