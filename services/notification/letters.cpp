// SPDX-License-Identifier: Apache-2.0

#include "services/notification/letters.h"

#include "services/contract/events.h"
#include "services/kit/handlers.h"

#include <array>
#include <cstdio>
#include <utility>

namespace conga::notification {
namespace {

using contract::from_detail;

/// ISO 4217 has currencies of 0 and 3 decimals; the shop sells in those of 2.
std::string money(const contract::Money& amount) {
  std::array<char, 32> text{};
  std::snprintf(text.data(),
                text.size(),
                "%lld.%02lld",
                static_cast<long long>(amount.amount / 100),
                static_cast<long long>(amount.amount % 100));
  return std::string(text.data()) + " " + amount.currency;
}

Letter letter(const contract::Trip& trip, std::string subject, const std::string& text) {
  const std::string name = trip.passengers.empty() ? "customer" : trip.passengers.front().name;
  std::string body = "Dear " + name + ",\n\n" + text + "\n\nFlight " + trip.flight + ", "
                     + trip.cabin + ", booking " + trip.booking_id + ".\n\nYour airline\n";
  return {.booking_id = trip.booking_id,
          .recipient = trip.email,
          .subject = std::move(subject),
          .body = std::move(body)};
}

Result<Letter> paid(const EventView& event) {
  const auto fact = from_detail<contract::PaymentConfirmed>(event.detail);
  if (!fact) return fact.failure();
  return letter(fact->trip,
                "Payment received for " + fact->trip.flight,
                "we have received your payment of " + money(fact->trip.fare) + ".");
}

Result<Letter> seated(const EventView& event) {
  const auto fact = from_detail<contract::SeatAssigned>(event.detail);
  if (!fact) return fact.failure();
  std::string text = "your seats are reserved:";
  for (const contract::SeatOf& seat : fact->seats) {
    text += "\n  " + seat.passenger + ": " + seat.seat;
  }
  return letter(fact->trip, "Your seats on " + fact->trip.flight, text);
}

Result<Letter> ticketed(const EventView& event) {
  const auto fact = from_detail<contract::TicketIssued>(event.detail);
  if (!fact) return fact.failure();
  std::string text = "here are your tickets. Have a good flight!";
  for (const contract::Ticket& ticket : fact->tickets) {
    text += "\n  " + ticket.passenger + ": seat " + ticket.seat + ", ticket " + ticket.number;
  }
  return letter(fact->trip, "Your tickets for " + fact->trip.flight, text);
}

Result<Letter> cancelled(const EventView& event) {
  const auto fact = from_detail<contract::BookingCancelled>(event.detail);
  if (!fact) return fact.failure();
  return letter(fact->trip,
                "Booking " + fact->trip.locator + " is cancelled",
                "we had to cancel your booking (" + fact->reason + ").");
}

Result<Letter> expired(const EventView& event) {
  const auto fact = from_detail<contract::BookingExpired>(event.detail);
  if (!fact) return fact.failure();
  return letter(fact->trip,
                "Booking " + fact->trip.locator + " has expired",
                "we could not complete your booking (" + fact->reason + ").");
}

Result<Letter> refunded(const EventView& event) {
  const auto fact = from_detail<contract::PaymentRefunded>(event.detail);
  if (!fact) return fact.failure();
  return letter(fact->trip,
                "Refund for " + fact->trip.flight,
                "we have refunded " + money(fact->trip.fare) + " (" + fact->reason + ").");
}

struct Template {
  std::string_view type;
  Result<Letter> (*write)(const EventView& event);
};

constexpr std::array<Template, 6> kTemplates{{{contract::PaymentConfirmed::kType, paid},
                                              {contract::SeatAssigned::kType, seated},
                                              {contract::TicketIssued::kType, ticketed},
                                              {contract::BookingCancelled::kType, cancelled},
                                              {contract::BookingExpired::kType, expired},
                                              {contract::PaymentRefunded::kType, refunded}}};

}  // namespace

Result<Letter> letter_for(const EventView& event) {
  for (const Template& known : kTemplates) {
    if (known.type != event.detail_type) continue;
    auto written = known.write(event);
    return written;
  }
  return kit::unexpected_event(event);
}

}  // namespace conga::notification
