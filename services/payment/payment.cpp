// SPDX-License-Identifier: Apache-2.0

#include "services/payment/payment.h"

#include <array>
#include <utility>

namespace conga::payment {
namespace {

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE payments(booking_id TEXT PRIMARY KEY, payment_id TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('charged', 'refunded')),"
    " amount INTEGER NOT NULL CHECK(amount > 0), currency TEXT NOT NULL,"
    " charged_at INTEGER NOT NULL) STRICT;",
    // SQLite cannot change a CHECK: the rows move.
    "ALTER TABLE payments RENAME TO old_payments;"
    "CREATE TABLE payments(booking_id TEXT PRIMARY KEY, payment_id TEXT UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('charged', 'reversing', 'refunded', 'cancelled')),"
    " amount INTEGER NOT NULL CHECK(amount > 0), currency TEXT NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"
    "INSERT INTO payments SELECT * FROM old_payments;"
    "DROP TABLE old_payments;"};

constexpr std::string_view kCharge = "charge";
constexpr std::string_view kReverse = "reverse";

/// Of payments.status; empty: nothing is known of the booking.
constexpr std::string_view kCharged = "charged";
constexpr std::string_view kReversing =
    "reversing";  ///< The booking is over: no charge from here on.
constexpr std::string_view kRefunded = "refunded";
constexpr std::string_view kCancelled = "cancelled";  ///< It was over before money moved.

struct ChargeOrder {
  std::string card;
  contract::Money amount;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("card", self.card);
    visit("amount", self.amount);
  }
};

struct ChargeAnswer {
  std::string payment_id;  ///< Empty: declined.
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("payment-id", self.payment_id);
    visit("reason", self.reason);
  }
};

struct ReverseAnswer {
  std::string payment_id;  ///< Empty: nothing had been authorised.
  bool refunded = false;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("payment-id", self.payment_id);
    visit("refunded", self.refunded);
  }
};

/// Bytes that this file packed itself.
template <class T>
Result<T> unpack(const std::string& bytes) {
  return contract::from_detail<T>(Value::trusted(bytes));
}

/// Idempotency keys: one for each booking and operation.
struct Keys {
  std::string authorise;
  std::string capture;
  std::string refund;
};

Keys keys_of(const std::string& booking_id) {
  return {.authorise = booking_id + "/authorise",
          .capture = booking_id + "/capture",
          .refund = booking_id + "/refund"};
}

/// What an event that ends a booking says of it: the trip and why.
struct End {
  contract::Trip trip;
  std::string reason;
};

template <class T>
Result<End> read_end(const EventView& event) {
  auto read = contract::from_detail<T>(event.detail);
  if (!read) return read.failure();
  return End{.trip = std::move(read->trip), .reason = std::move(read->reason)};
}

Result<End> end_of(const EventView& event) {
  if (event.detail_type == contract::SeatUnavailable::kType) {
    return read_end<contract::SeatUnavailable>(event);
  }
  if (event.detail_type == contract::BookingCancelled::kType) {
    return read_end<contract::BookingCancelled>(event);
  }
  if (event.detail_type == contract::BookingExpired::kType) {
    return read_end<contract::BookingExpired>(event);
  }
  return kit::unexpected_event(event);
}

}  // namespace

const kit::Manifest& Payment::declaration() {
  static const kit::Manifest kManifest{
      .service = "payment",
      .source = contract::kPaymentSource,
      .consumes = kit::event_types<contract::BookingCreated,
                                   contract::SeatUnavailable,
                                   contract::BookingCancelled,
                                   contract::BookingExpired>(),
      .emits = kit::event_types<contract::PaymentConfirmed,
                                contract::PaymentFailed,
                                contract::PaymentRefunded>(),
      .consequences = {{.emits = contract::PaymentConfirmed::kType,
                        .after = {contract::BookingCreated::kType},
                        .undone_by = contract::PaymentRefunded::kType},
                       {.emits = contract::PaymentFailed::kType,
                        .after = {contract::BookingCreated::kType},
                        .failure = true},
                       {.emits = contract::PaymentRefunded::kType,
                        .after = {contract::SeatUnavailable::kType,
                                  contract::BookingCancelled::kType,
                                  contract::BookingExpired::kType},
                        .once = true}}};
  return kManifest;
}

Result<> Payment::migrate() {
  if (auto migrated = ledger_.migrate(); !migrated) return migrated;
  return database_.migrate("payment", kSteps);
}

Result<kit::Decision> Payment::handle(const EventView& event, const Time& now) {
  if (event.detail_type == contract::BookingCreated::kType) return charge(event);
  const auto end = end_of(event);
  if (!end) return end.failure();
  return reverse(end->trip, now);
}

Result<kit::Decision> Payment::charge(const EventView& event) {
  const auto booking = contract::from_detail<contract::BookingCreated>(event.detail);
  if (!booking) return booking.failure();
  const contract::Trip& trip = booking->trip;
  const auto status = status_of(trip.booking_id);
  if (!status) return status.failure();
  if (!status->empty()) return kit::Decision();  // charged and told of already, or over
  return kit::Decision{.facts = {},
                       .effect = kit::Effect{.kind = std::string(kCharge),
                                             .key = trip.booking_id,
                                             .payload = contract::to_detail(ChargeOrder{
                                                 .card = booking->card, .amount = trip.fare})}};
}

/// A charge may be under way, or its answer lost: only the acquirer knows whether money moved.
Result<kit::Decision> Payment::reverse(const contract::Trip& trip, const Time& now) {
  const auto status = status_of(trip.booking_id);
  if (!status) return status.failure();
  if (*status == kRefunded || *status == kCancelled) return kit::Decision();
  const auto noted = database_.run(
      "INSERT INTO payments VALUES(?, NULL, ?, ?, ?, ?)"
      " ON CONFLICT(booking_id) DO UPDATE SET status = excluded.status",
      {trip.booking_id,
       kReversing,
       trip.fare.amount,
       trip.fare.currency,
       std::int64_t{now.wall.time_since_epoch().count()}});
  if (!noted) return noted.failure();
  return kit::Decision{
      .facts = {},
      .effect = kit::Effect{.kind = std::string(kReverse), .key = trip.booking_id, .payload = {}}};
}

Result<std::string> Payment::perform(const kit::Effect& effect) {
  if (effect.kind == kCharge) return move_money(effect);
  const Keys keys = keys_of(effect.key);
  const auto reversal = acquirer_.reverse(keys.refund, keys.authorise);
  if (!reversal) return reversal.failure();
  return contract::to_detail(
      ReverseAnswer{.payment_id = reversal->payment_id, .refunded = reversal->refunded});
}

/// Every step of it may be done again: its key is answered as the first time.
Result<std::string> Payment::move_money(const kit::Effect& effect) {
  const auto order = unpack<ChargeOrder>(effect.payload);
  if (!order) return order.failure();
  const Keys keys = keys_of(effect.key);
  const auto authorised = acquirer_.authorise(keys.authorise, order->card, order->amount);
  if (!authorised) return authorised.failure();
  ChargeAnswer answer{.payment_id = authorised->payment_id, .reason = authorised->reason};
  if (answer.payment_id.empty()) return contract::to_detail(answer);
  const auto captured = acquirer_.capture(keys.capture, answer.payment_id, order->amount);
  if (!captured) return captured.failure();
  if (!captured->captured) {
    // What was set aside on the card is to be free again.
    const auto voided = acquirer_.reverse(keys.refund, keys.authorise);
    if (!voided) return voided.failure();
    answer = {.payment_id = {}, .reason = captured->reason};
  }
  return contract::to_detail(answer);
}

Result<kit::Facts> Payment::complete(const EventView& event,
                                     const kit::Effect& effect,
                                     const Result<std::string>& answer,
                                     const Time& now) {
  if (!answer) return answer.failure();
  return effect.kind == kReverse ? reversed(event, *answer, now) : charged(event, *answer, now);
}

Result<kit::Facts> Payment::charged(const EventView& event,
                                    const std::string& answer,
                                    const Time& now) {
  const auto booking = contract::from_detail<contract::BookingCreated>(event.detail);
  const auto charge = unpack<ChargeAnswer>(answer);
  if (!booking) return booking.failure();
  if (!charge) return charge.failure();
  const contract::Trip& trip = booking->trip;
  const auto status = status_of(trip.booking_id);
  if (!status) return status.failure();
  // Told of already, under another event id; or over, and then the reversal knows what was charged.
  if (!status->empty()) return kit::Facts();
  if (charge->payment_id.empty()) {
    return kit::Facts{kit::fact(contract::PaymentFailed{.trip = trip, .reason = charge->reason})};
  }
  const auto stored = database_.run("INSERT INTO payments VALUES(?, ?, ?, ?, ?, ?)",
                                    {trip.booking_id,
                                     charge->payment_id,
                                     kCharged,
                                     trip.fare.amount,
                                     trip.fare.currency,
                                     std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  const auto posted = ledger_.post(trip.booking_id, Movement::Capture, trip.fare, now);
  if (!posted) return posted.failure();
  return kit::Facts{
      kit::fact(contract::PaymentConfirmed{.trip = trip, .payment_id = charge->payment_id})};
}

Result<kit::Facts> Payment::reversed(const EventView& event,
                                     const std::string& answer,
                                     const Time& now) {
  const auto end = end_of(event);
  const auto reversal = unpack<ReverseAnswer>(answer);
  if (!end) return end.failure();
  if (!reversal) return reversal.failure();
  const contract::Trip& trip = end->trip;
  // Another event that ended the same booking may have been told of first.
  const auto updated = database_.run(
      "UPDATE payments SET status = ?, payment_id = nullif(?, '')"
      " WHERE booking_id = ? AND status = ?",
      {reversal->refunded ? kRefunded : kCancelled,
       reversal->payment_id,
       trip.booking_id,
       kReversing});
  if (!updated) return updated.failure();
  if (*updated == 0 || !reversal->refunded) return kit::Facts();
  // The capture's answer may have been lost: then it is news.
  for (const Movement movement : {Movement::Capture, Movement::Refund}) {
    const auto posted = ledger_.post(trip.booking_id, movement, trip.fare, now);
    if (!posted) return posted.failure();
  }
  return kit::Facts{kit::fact(contract::PaymentRefunded{
      .trip = trip, .payment_id = reversal->payment_id, .reason = end->reason})};
}

Result<std::string> Payment::status_of(const std::string& booking_id) {
  const auto row = database_.one("SELECT status FROM payments WHERE booking_id = ?", {booking_id});
  if (!row) return row.failure();
  return row->has_value() ? (*row)->text(0) : std::string();
}

}  // namespace conga::payment
