// SPDX-License-Identifier: Apache-2.0

#include "services/payment/payment.h"

#include <array>
#include <utility>

namespace conga::payment {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE payments(booking_id TEXT PRIMARY KEY, payment_id TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('charged', 'refunded')),"
    " amount INTEGER NOT NULL CHECK(amount > 0), currency TEXT NOT NULL,"
    " charged_at INTEGER NOT NULL) STRICT;"};

constexpr std::string_view kCharge = "charge";
constexpr std::string_view kRefund = "refund";

/// What perform() needs, and what the acquirer answered: both go through the kit as bytes.
struct ChargeOrder {
  std::string card;
  contract::Money amount;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("card", self.card);
    visit("amount", self.amount);
  }
};

struct RefundOrder {
  std::string payment_id;
  contract::Money amount;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("payment-id", self.payment_id);
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

/// Bytes that this file packed itself.
template <class T>
Result<T> unpack(const std::string& bytes) {
  return contract::from_detail<T>(Value::trusted(bytes));
}

kit::Decision charge_order(const contract::BookingCreated& booking) {
  const contract::Trip& trip = booking.trip;
  return {.facts = {},
          .effect = kit::Effect{.kind = std::string(kCharge),
                                .key = trip.booking_id + "/charge",
                                .payload = contract::to_detail(
                                    ChargeOrder{.card = booking.card, .amount = trip.fare})}};
}

}  // namespace

const kit::Manifest& Payment::declaration() {
  static const kit::Manifest kManifest{.service = "payment",
                                       .source = contract::kPaymentSource,
                                       .consumes = kit::event_types<contract::BookingCreated,
                                                                    contract::SeatUnavailable,
                                                                    contract::BookingCancelled,
                                                                    contract::BookingExpired>(),
                                       .emits = kit::event_types<contract::PaymentConfirmed,
                                                                 contract::PaymentFailed,
                                                                 contract::PaymentRefunded>()};
  return kManifest;
}

Result<> Payment::migrate() {
  return database_.migrate("payment", kSteps);
}

Result<kit::Decision> Payment::handle(const EventView& event, const Time& /*now*/) {
  if (event.detail_type == contract::BookingCreated::kType) {
    const auto booking = contract::from_detail<contract::BookingCreated>(event.detail);
    if (!booking) return booking.failure();
    return charge_order(*booking);
  }
  if (event.detail_type != contract::SeatUnavailable::kType) return kit::unexpected_event(event);
  const auto unavailable = contract::from_detail<contract::SeatUnavailable>(event.detail);
  if (!unavailable) return unavailable.failure();
  const contract::Trip& trip = unavailable->trip;
  const auto row = database_.one(
      "SELECT payment_id, status, amount, currency FROM payments"
      " WHERE booking_id = ?",
      {trip.booking_id});
  if (!row) return row.failure();
  if (!row->has_value()) {
    return fail(Fault::Permanent, "booking " + trip.booking_id + " was not charged", "NotCharged");
  }
  if ((*row)->text(1) == "refunded") return kit::Decision();
  const RefundOrder order{.payment_id = (*row)->text(0),
                          .amount = {.amount = (*row)->integer(2), .currency = (*row)->text(3)}};
  return kit::Decision{.facts = {},
                       .effect = kit::Effect{.kind = std::string(kRefund),
                                             .key = trip.booking_id + "/refund",
                                             .payload = contract::to_detail(order)}};
}

Result<std::string> Payment::perform(const kit::Effect& effect) {
  if (effect.kind == kRefund) {
    const auto order = unpack<RefundOrder>(effect.payload);
    if (!order) return order.failure();
    const auto refunded = acquirer_.refund(effect.key, order->payment_id, order->amount);
    if (!refunded) return refunded.failure();
    return std::string();
  }
  const auto order = unpack<ChargeOrder>(effect.payload);
  if (!order) return order.failure();
  const auto charge = acquirer_.charge(effect.key, order->card, order->amount);
  if (!charge) return charge.failure();
  return contract::to_detail(
      ChargeAnswer{.payment_id = charge->payment_id, .reason = charge->reason});
}

Result<kit::Facts> Payment::complete(const EventView& event,
                                     const kit::Effect& effect,
                                     const Result<std::string>& answer,
                                     const Time& now) {
  if (!answer) return answer.failure();
  return effect.kind == kRefund ? refunded(event) : charged(event, *answer, now);
}

Result<kit::Facts> Payment::charged(const EventView& event,
                                    const std::string& answer,
                                    const Time& now) {
  const auto booking = contract::from_detail<contract::BookingCreated>(event.detail);
  const auto charge = unpack<ChargeAnswer>(answer);
  if (!booking) return booking.failure();
  if (!charge) return charge.failure();
  const contract::Trip& trip = booking->trip;
  if (charge->payment_id.empty()) {
    return kit::Facts{kit::fact(contract::PaymentFailed{.trip = trip, .reason = charge->reason})};
  }
  const auto stored =
      database_.run("INSERT OR IGNORE INTO payments VALUES(?, ?, 'charged', ?, ?, ?)",
                    {trip.booking_id,
                     charge->payment_id,
                     trip.fare.amount,
                     trip.fare.currency,
                     std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  // A booking created twice, under two event ids, is charged and told of once.
  if (*stored == 0) return kit::Facts();
  return kit::Facts{
      kit::fact(contract::PaymentConfirmed{.trip = trip, .payment_id = charge->payment_id})};
}

Result<kit::Facts> Payment::refunded(const EventView& event) {
  const auto unavailable = contract::from_detail<contract::SeatUnavailable>(event.detail);
  if (!unavailable) return unavailable.failure();
  const std::string& booking_id = unavailable->trip.booking_id;
  const auto updated =
      database_.run("UPDATE payments SET status = 'refunded' WHERE booking_id = ?", {booking_id});
  if (!updated) return updated.failure();
  const auto row =
      database_.one("SELECT payment_id FROM payments WHERE booking_id = ?", {booking_id});
  if (!row) return row.failure();
  return kit::Facts{kit::fact(contract::PaymentRefunded{
      .trip = unavailable->trip, .payment_id = (*row)->text(0), .reason = unavailable->reason})};
}

}  // namespace conga::payment
