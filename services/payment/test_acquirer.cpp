// SPDX-License-Identifier: Apache-2.0

#include "services/payment/test_acquirer.h"

#include "common/core/ids.h"

#include <array>
#include <string_view>
#include <utility>

namespace conga::payment {
namespace {

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE charges(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL, reason TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL) STRICT;"
    "CREATE TABLE refunds(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL UNIQUE,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL) STRICT;",
    "CREATE TABLE authorisations(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL,"
    " reason TEXT NOT NULL, card TEXT NOT NULL, amount INTEGER NOT NULL,"
    " currency TEXT NOT NULL) STRICT;"
    "CREATE INDEX authorisations_by_payment ON authorisations(payment_id);"
    "CREATE TABLE captures(key TEXT PRIMARY KEY, payment_id TEXT NOT NULL, reason TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX captured_once ON captures(payment_id) WHERE reason = '';"
    "CREATE TABLE voids(payment_id TEXT PRIMARY KEY) STRICT;"
    "INSERT INTO authorisations SELECT key, payment_id, reason, '', amount, currency FROM charges;"
    "INSERT INTO captures SELECT key, payment_id, '', amount, currency FROM charges"
    " WHERE payment_id != '';"
    "DROP TABLE charges;"};

constexpr std::string_view kDuplicate = "4000000000000341";
constexpr std::string_view kCaptureDeclined = "4000000000000408";
constexpr std::string_view kTimeoutOnce = "4000000000000119";
constexpr std::string_view kCaptureTimeoutOnce = "4000000000000135";
constexpr std::string_view kTimeoutForEver = "4000000000000259";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDeclined{
    {{"4000000000000002", "card_declined"},
     {"4000000000009995", "insufficient_funds"},
     {"4000000000000069", "expired_card"},
     {"4000000000000127", "incorrect_cvc"},
     {"4000000000009979", "stolen_card"}}};

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

tl::unexpected<Error> timeout() {
  return fail(Fault::Transient, "the acquirer did not answer in time", "AcquirerTimeout");
}

}  // namespace

Result<> TestAcquirer::migrate() {
  return database_.migrate("acquirer", kSteps);
}

/// All of `work`, or nothing of it, whoever else uses the books at the same time.
template <class Answer, class Work>
Result<Answer> TestAcquirer::atomically(Work work) {
  if (auto begun = database_.begin(); !begun) return begun.failure();
  Result<Answer> answer = work();
  if (!answer) {
    database_.rollback();
    return answer;
  }
  if (auto kept = database_.commit(); !kept) return kept.failure();
  return answer;
}

Result<Authorisation> TestAcquirer::authorise(const std::string& key,
                                              const std::string& card,
                                              const contract::Money& amount) {
  if (card == kTimeoutForEver) return timeout();
  bool is_new = false;
  auto answer = atomically<Authorisation>([&]() -> Result<Authorisation> {
    const auto known =
        database_.one("SELECT payment_id, reason FROM authorisations WHERE key = ?", {key});
    if (!known) return known.failure();
    is_new = !known->has_value();
    if (is_new) return decide(key, card, amount);
    return Authorisation{.payment_id = (*known)->text(0), .reason = (*known)->text(1)};
  });
  if (answer && is_new && card == kTimeoutOnce) return timeout();
  return answer;
}

Result<Authorisation> TestAcquirer::decide(const std::string& key,
                                           const std::string& card,
                                           const contract::Money& amount) {
  const auto reason = reason_for(card, amount);
  if (!reason) return reason.failure();
  Authorisation authorisation{.payment_id = {}, .reason = *reason};
  if (reason->empty()) authorisation.payment_id = Uuid::v5(kPayments, key).text();
  const auto stored =
      database_.run("INSERT INTO authorisations VALUES(?, ?, ?, ?, ?, ?)",
                    {key, authorisation.payment_id, *reason, card, amount.amount, amount.currency});
  if (!stored) return stored.failure();
  return authorisation;
}

/// Why it is declined; empty: it is not.
Result<std::string> TestAcquirer::reason_for(const std::string& card,
                                             const contract::Money& amount) {
  for (const auto& [declined, reason] : kDeclined) {
    if (card == declined) return std::string(reason);
  }
  if (card != kDuplicate) return std::string();
  const auto same = database_.one(
      "SELECT 1 FROM authorisations WHERE card = ? AND amount = ? AND currency = ? LIMIT 1",
      {card, amount.amount, amount.currency});
  if (!same) return same.failure();
  return std::string(same->has_value() ? "duplicate_transaction" : "");
}

Result<Capture> TestAcquirer::capture(const std::string& key,
                                      const std::string& payment_id,
                                      const contract::Money& amount) {
  bool is_new = false;
  auto answer = atomically<Capture>([&]() -> Result<Capture> {
    const auto known = database_.one("SELECT reason FROM captures WHERE key = ?", {key});
    if (!known) return known.failure();
    is_new = !known->has_value();
    if (is_new) return move(key, payment_id, amount);
    return Capture{.captured = (*known)->text(0).empty(), .reason = (*known)->text(0)};
  });
  if (!answer || !is_new) return answer;
  const auto card =
      database_.one("SELECT card FROM authorisations WHERE payment_id = ?", {payment_id});
  if (!card) return card.failure();
  if (card->has_value() && (*card)->text(0) == kCaptureTimeoutOnce) return timeout();
  return answer;
}

Result<Capture> TestAcquirer::move(const std::string& key,
                                   const std::string& payment_id,
                                   const contract::Money& amount) {
  const auto authorised = database_.one(
      "SELECT card, EXISTS(SELECT 1 FROM voids WHERE voids.payment_id = ?1)"
      " FROM authorisations WHERE payment_id = ?1 AND amount = ?2 AND currency = ?3",
      {payment_id, amount.amount, amount.currency});
  if (!authorised) return authorised.failure();
  Capture capture{.captured = false, .reason = {}};
  if (!authorised->has_value()) {
    capture.reason = "no_such_authorisation";
  } else if ((*authorised)->integer(1) != 0) {
    capture.reason = "voided";
  } else if ((*authorised)->text(0) == kCaptureDeclined) {
    capture.reason = "authorisation_expired";
  }
  capture.captured = capture.reason.empty();
  const auto stored =
      database_.run("INSERT INTO captures VALUES(?, ?, ?, ?, ?)",
                    {key, payment_id, capture.reason, amount.amount, amount.currency});
  if (!stored) return stored.failure();
  return capture;
}

Result<Reversal> TestAcquirer::reverse(const std::string& key, const std::string& authorise_key) {
  return atomically<Reversal>([&] { return undo(key, authorise_key); });
}

Result<Reversal> TestAcquirer::undo(const std::string& key, const std::string& authorise_key) {
  const auto barred =
      database_.run("INSERT OR IGNORE INTO authorisations VALUES(?, '', 'cancelled', '', 0, '')",
                    {authorise_key});
  if (!barred) return barred.failure();
  const auto row =
      database_.one("SELECT payment_id FROM authorisations WHERE key = ?", {authorise_key});
  if (!row) return row.failure();
  Reversal reversal{.payment_id = (*row)->text(0), .refunded = false};
  if (reversal.payment_id.empty()) return reversal;
  const auto refunded = database_.run(
      "INSERT OR IGNORE INTO refunds SELECT ?1, payment_id, amount, currency FROM captures"
      " WHERE payment_id = ?2 AND reason = ''",
      {key, reversal.payment_id});
  if (!refunded) return refunded.failure();
  const auto voided = database_.run(
      "INSERT OR IGNORE INTO voids SELECT ?1 WHERE NOT EXISTS"
      "(SELECT 1 FROM refunds WHERE payment_id = ?1)",
      {reversal.payment_id});
  if (!voided) return voided.failure();
  const auto moved =
      database_.one("SELECT 1 FROM refunds WHERE payment_id = ?", {reversal.payment_id});
  if (!moved) return moved.failure();
  reversal.refunded = moved->has_value();
  return reversal;
}

}  // namespace conga::payment
