// SPDX-License-Identifier: Apache-2.0

#include "services/payment/test_acquirer.h"

#include "common/core/ids.h"

#include <array>
#include <string_view>

namespace conga::payment {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE charges(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL, reason TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL) STRICT;"
    "CREATE TABLE refunds(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL UNIQUE,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL) STRICT;"};

constexpr std::string_view kDeclined = "4000000000000002";
constexpr std::string_view kInsufficientFunds = "4000000000009995";
constexpr std::string_view kTimeoutOnce = "4000000000000119";
constexpr std::string_view kTimeoutForEver = "4000000000000259";

/// The acquirer's name space for payment ids.
constexpr Uuid kPayments{{0x7b,
                          0x1f,
                          0x6a,
                          0x52,
                          0x0c,
                          0x3d,
                          0x4e,
                          0x88,
                          0x9a,
                          0x41,
                          0x5d,
                          0x27,
                          0x60,
                          0xe9,
                          0xb3,
                          0x14}};

std::string_view reason_for(std::string_view card) {
  if (card == kDeclined) return "card_declined";
  if (card == kInsufficientFunds) return "insufficient_funds";
  return {};
}

tl::unexpected<Error> timeout() {
  return fail(Fault::Transient, "the acquirer did not answer in time", "AcquirerTimeout");
}

}  // namespace

Result<> TestAcquirer::migrate() {
  return database_.migrate("acquirer", kSteps);
}

Result<Charge> TestAcquirer::charge(const std::string& key,
                                    const std::string& card,
                                    const contract::Money& amount) {
  if (card == kTimeoutForEver) return timeout();
  const auto known = database_.one("SELECT payment_id, reason FROM charges WHERE key = ?", {key});
  if (!known) return known.failure();
  if (known->has_value()) {
    const std::string& reason = (*known)->text(1);
    return Charge{.approved = reason.empty(), .payment_id = (*known)->text(0), .reason = reason};
  }
  Charge charge;
  charge.reason = reason_for(card);
  charge.approved = charge.reason.empty();
  if (charge.approved) charge.payment_id = Uuid::v5(kPayments, key).text();
  const auto stored =
      database_.run("INSERT INTO charges VALUES(?, ?, ?, ?, ?)",
                    {key, charge.payment_id, charge.reason, amount.amount, amount.currency});
  if (!stored) return stored.failure();
  if (card == kTimeoutOnce) return timeout();
  return charge;
}

Result<std::string> TestAcquirer::reverse(const std::string& key, const std::string& charge_key) {
  const auto kept = database_.run("INSERT OR IGNORE INTO charges VALUES(?, '', 'cancelled', 0, '')",
                                  {charge_key});
  if (!kept) return kept.failure();
  const auto charge =
      database_.one("SELECT payment_id, amount, currency FROM charges WHERE key = ?", {charge_key});
  if (!charge) return charge.failure();
  const std::string payment_id = (*charge)->text(0);
  if (payment_id.empty()) return payment_id;
  const auto refunded = database_.run("INSERT OR IGNORE INTO refunds VALUES(?, ?, ?, ?)",
                                      {key, payment_id, (*charge)->integer(1), (*charge)->text(2)});
  if (!refunded) return refunded.failure();
  return payment_id;
}

}  // namespace conga::payment
