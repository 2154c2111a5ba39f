// SPDX-License-Identifier: Apache-2.0

#include "services/notification/letters.h"

#include "services/contract/money_text.h"
#include "services/kit/handlers.h"

#include <array>

namespace conga::notification {
namespace {

using contract::PaymentConfirmed;
using contract::PaymentRefunded;
using contract::SeatAssigned;
using contract::TicketIssued;

Fields fields_of(const contract::Trip& trip) {
  Fields fields;
  fields.values = {{"passenger", trip.passengers.empty() ? "" : trip.passengers.front().name},
                   {"booking", trip.booking_id},
                   {"locator", trip.locator},
                   {"flight", trip.flight},
                   {"cabin", trip.cabin},
                   {"date", trip.date},
                   {"from", trip.route.from},
                   {"to", trip.route.to},
                   {"departs", trip.route.departs},
                   {"arrives", trip.route.arrives},
                   {"fare", money(trip.fare, ".")}};
  std::vector<Values>& list = fields.lists["passengers"];
  for (const auto& passenger : trip.passengers) list.push_back({{"passenger", passenger.name}});
  return fields;
}

// What an event has to tell beyond its trip.

void add(Fields& fields, const PaymentConfirmed& event) {
  fields.values["payment"] = event.payment_id;
}

void add(Fields& fields, const PaymentRefunded& event) {
  fields.values["payment"] = event.payment_id;
  fields.values["reason"] = event.reason;
}

void add(Fields& fields, const SeatAssigned& event) {
  std::vector<Values>& list = fields.lists["seats"];
  for (const auto& each : event.seats) {
    list.push_back({{"passenger", each.passenger}, {"seat", each.seat}});
  }
}

void add(Fields& fields, const TicketIssued& event) {
  std::vector<Values>& list = fields.lists["tickets"];
  for (const auto& each : event.tickets) {
    list.push_back({{"passenger", each.passenger}, {"seat", each.seat}, {"ticket", each.number}});
  }
}

void add(Fields& fields, const contract::BookingCancelled& event) {
  fields.values["reason"] = event.reason;
}

void add(Fields& fields, const contract::BookingExpired& event) {
  fields.values["reason"] = event.reason;
}

template <class T>
Letter letter_of(const T& event) {
  Letter letter{.about = std::string(T::kType),
                .trip = event.trip,
                .fields = fields_of(event.trip),
                .receipt = {}};
  add(letter.fields, event);
  if constexpr (requires { event.receipt; }) letter.receipt = event.receipt;
  return letter;
}

template <class T>
Result<Letter> read(const EventView& event) {
  const auto fact = contract::from_detail<T>(event.detail);
  if (!fact) return fact.failure();
  return letter_of(*fact);
}

/// An event with one entry in each of its lists.
template <class T>
Fields sample() {
  T event;
  event.trip.passengers.emplace_back();
  if constexpr (requires { event.seats; }) event.seats.emplace_back();
  if constexpr (requires { event.tickets; }) event.tickets.emplace_back();
  return letter_of(event).fields;
}

struct Kind {
  std::string_view type;
  Result<Letter> (*read)(const EventView& event);
  Fields (*sample)();
};

template <class T>
constexpr Kind kind() {
  return {.type = T::kType, .read = read<T>, .sample = sample<T>};
}

constexpr std::array<Kind, 6> kKinds{{kind<PaymentConfirmed>(),
                                      kind<SeatAssigned>(),
                                      kind<TicketIssued>(),
                                      kind<contract::BookingCancelled>(),
                                      kind<contract::BookingExpired>(),
                                      kind<PaymentRefunded>()}};

}  // namespace

Result<Letter> read_letter(const EventView& event) {
  for (const Kind& kind : kKinds) {
    if (kind.type == event.detail_type) return kind.read(event);
  }
  return kit::unexpected_event(event);
}

Fields known_fields() {
  contract::Trip trip;
  trip.passengers.emplace_back();
  return fields_of(trip);
}

const std::vector<std::pair<std::string_view, Fields>>& known_letters() {
  static const std::vector<std::pair<std::string_view, Fields>> kKnown = [] {
    std::vector<std::pair<std::string_view, Fields>> known;
    known.reserve(kKinds.size());
    for (const Kind& kind : kKinds) known.emplace_back(kind.type, kind.sample());
    return known;
  }();
  return kKnown;
}

std::string money(const contract::Money& amount, std::string_view decimal_mark) {
  std::string text = contract::money_text(amount);
  const std::size_t point = text.find('.');
  return point == std::string::npos ? text : text.replace(point, 1, decimal_mark);
}

}  // namespace conga::notification
