// SPDX-License-Identifier: Apache-2.0
//
// Ledger: what the service has moved, in double entry: each transfer debits one account and credits
// another by the same amount, so that all balances of a currency sum up to nothing.
//
//   capture  acquirer (what the acquirer owes us)  to  sales
//   refund   refunds                               to  acquirer

#pragma once

#include "common/core/clock.h"
#include "services/contract/events.h"
#include "services/kit/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace conga::payment {

enum class Movement { Capture, Refund };

struct Balance {
  std::string account;
  std::string currency;
  std::int64_t debit = 0;   ///< Sum of all debits, in minor units.
  std::int64_t credit = 0;  ///< Sum of all credits, in minor units.
};

class Ledger {
public:
  /// `database` must outlive the object.
  explicit Ledger(kit::Database& database) : database_(database) {}

  Result<> migrate();

  /// Once for a booking and movement: again, it changes nothing. Inside the turn's transaction.
  Result<> post(const std::string& booking_id,
                Movement movement,
                const contract::Money& amount,
                const Time& now);

  /// By account and currency.
  Result<std::vector<Balance>> balances();

  /// What does not add up, each a sentence; empty: all does.
  Result<std::vector<std::string>> faults();

  /// The balances as a table, for people. Corrupt with the faults if it does not add up.
  Result<std::string> report();

private:
  kit::Database& database_;
};

}  // namespace conga::payment
