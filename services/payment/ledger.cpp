// SPDX-License-Identifier: Apache-2.0

#include "services/payment/ledger.h"

#include "services/contract/money_text.h"

#include <array>
#include <cstdio>

namespace conga::payment {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE transfers(transfer_id INTEGER PRIMARY KEY, booking_id TEXT NOT NULL,"
    " movement TEXT NOT NULL CHECK(movement IN ('capture', 'refund')), at INTEGER NOT NULL,"
    " UNIQUE(booking_id, movement)) STRICT;"
    // Debits are positive, credits negative.
    "CREATE TABLE entries(transfer_id INTEGER NOT NULL REFERENCES transfers,"
    " account TEXT NOT NULL CHECK(account IN ('acquirer', 'sales', 'refunds')),"
    " amount INTEGER NOT NULL CHECK(amount != 0), currency TEXT NOT NULL,"
    " PRIMARY KEY(transfer_id, account)) STRICT;"};

struct Accounts {
  std::string_view movement;
  std::string_view debit;
  std::string_view credit;
};

constexpr Accounts accounts_of(Movement movement) {
  if (movement == Movement::Capture) return {"capture", "acquirer", "sales"};
  return {"refund", "refunds", "acquirer"};
}

std::string line_of(const Balance& balance) {
  const auto text = [&](std::int64_t amount) {
    return contract::decimal_text(amount, balance.currency);
  };
  std::array<char, 256> line{};
  std::snprintf(line.data(),
                line.size(),
                "%-10s %-8s %16s %16s %16s\n",
                balance.account.c_str(),
                balance.currency.c_str(),
                text(balance.debit).c_str(),
                text(balance.credit).c_str(),
                text(balance.debit - balance.credit).c_str());
  return line.data();
}

}  // namespace

Result<> Ledger::migrate() {
  return database_.migrate("ledger", kSteps);
}

Result<> Ledger::post(const std::string& booking_id,
                      Movement movement,
                      const contract::Money& amount,
                      const Time& now) {
  const Accounts accounts = accounts_of(movement);
  const auto transfer = database_.one(
      "INSERT INTO transfers(booking_id, movement, at) VALUES(?, ?, ?)"
      " ON CONFLICT DO NOTHING RETURNING transfer_id",
      {booking_id, accounts.movement, std::int64_t{now.wall.time_since_epoch().count()}});
  if (!transfer) return transfer.failure();
  if (!transfer->has_value()) return {};
  const std::int64_t id = (*transfer)->integer(0);
  const auto entered =
      database_.run("INSERT INTO entries VALUES(?1, ?2, ?4, ?5), (?1, ?3, -?4, ?5)",
                    {id, accounts.debit, accounts.credit, amount.amount, amount.currency});
  if (!entered) return entered.failure();
  return {};
}

Result<std::vector<Balance>> Ledger::balances() {
  const auto rows = database_.all(
      "SELECT account, currency, sum(max(amount, 0)), sum(max(-amount, 0)) FROM entries"
      " GROUP BY account, currency ORDER BY currency, account");
  if (!rows) return rows.failure();
  std::vector<Balance> balances;
  for (const kit::Row& row : *rows) {
    balances.push_back({.account = row.text(0),
                        .currency = row.text(1),
                        .debit = row.integer(2),
                        .credit = row.integer(3)});
  }
  return balances;
}

Result<std::vector<std::string>> Ledger::faults() {
  std::vector<std::string> faults;
  const auto unequal = database_.all(
      "SELECT booking_id, movement FROM transfers LEFT JOIN entries USING(transfer_id)"
      " GROUP BY transfer_id"
      " HAVING count(*) != 2 OR sum(amount) != 0 OR count(DISTINCT currency) != 1");
  if (!unequal) return unequal.failure();
  for (const kit::Row& row : *unequal) {
    faults.push_back("the " + row.text(1) + " of " + row.text(0) + " does not balance");
  }
  const auto overpaid = database_.all(
      "SELECT booking_id FROM transfers JOIN entries USING(transfer_id)"
      " WHERE account = 'acquirer' GROUP BY booking_id HAVING sum(amount) < 0");
  if (!overpaid) return overpaid.failure();
  for (const kit::Row& row : *overpaid) {
    faults.push_back(row.text(0) + " was given back more than it paid");
  }
  return faults;
}

Result<std::string> Ledger::report() {
  const auto wrong = faults();
  if (!wrong) return wrong.failure();
  if (!wrong->empty()) {
    std::string all = "the ledger does not add up:";
    for (const std::string& fault : *wrong) all += "\n  " + fault;
    return fail(Fault::Corrupt, all, "Unbalanced");
  }
  const auto sums = balances();
  if (!sums) return sums.failure();
  const auto count = database_.one("SELECT count(*) FROM transfers");
  if (!count) return count.failure();
  std::string text = "account    currency            debit           credit          balance\n";
  for (const Balance& balance : *sums) text += line_of(balance);
  return text + std::to_string((*count)->integer(0)) + " transfers, balanced\n";
}

}  // namespace conga::payment
