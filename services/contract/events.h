// SPDX-License-Identifier: Apache-2.0
//
// The events of the flight booking flow: all that one service may know of another. Every event
// carries the whole trip, so that a service needs to ask nobody. Each service's README says what it
// consumes and emits.

#pragma once

#include "services/contract/describe.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::contract {

inline constexpr std::string_view kBookingSource = "aircraft.booking";
inline constexpr std::string_view kPaymentSource = "aircraft.payment";
inline constexpr std::string_view kSeatingSource = "aircraft.seating";
inline constexpr std::string_view kTicketingSource = "aircraft.ticketing";
inline constexpr std::string_view kNotificationSource = "aircraft.notification";

struct Money {
  std::int64_t amount = 0;  ///< In minor units of the currency: cents.
  std::string currency;     ///< ISO 4217: EUR.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("amount", self.amount);
    visit("currency", self.currency);
  }

  friend bool operator==(const Money&, const Money&) = default;
};

struct Passenger {
  std::string name;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("name", self.name);
  }
};

/// What was asked for, and travels with the flow.
struct Trip {
  std::string booking_id;  ///< Also the correlation id of the flow.
  std::string flight;      ///< LH123
  std::string cabin;       ///< economy, premium, business
  std::vector<Passenger> passengers;
  std::string email;
  Money fare;  ///< For all passengers together.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("flight", self.flight);
    visit("cabin", self.cabin);
    visit("passengers", self.passengers);
    visit("email", self.email);
    visit("fare", self.fare);
  }
};

struct SeatOf {
  std::string passenger;
  std::string seat;  ///< 12A

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("passenger", self.passenger);
    visit("seat", self.seat);
  }
};

struct Ticket {
  std::string passenger;
  std::string seat;
  std::string number;  ///< 13 digits.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("passenger", self.passenger);
    visit("seat", self.seat);
    visit("number", self.number);
  }
};

/// From a customer (web, CLI) to booking.
struct BookingRequested {
  static constexpr std::string_view kType = "BookingRequested";

  Trip trip;
  std::string card;  ///< The payment token.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("card", self.card);
  }
};

struct BookingCreated {
  static constexpr std::string_view kType = "BookingCreated";

  Trip trip;
  std::string locator;  ///< Six characters for the customer.
  std::string card;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("locator", self.locator);
    visit("card", self.card);
  }
};

struct BookingRejected {
  static constexpr std::string_view kType = "BookingRejected";

  std::string booking_id;
  std::vector<std::string> faults;  ///< Every one, not only the first.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("faults", self.faults);
  }
};

struct BookingConfirmed {
  static constexpr std::string_view kType = "BookingConfirmed";

  Trip trip;
  std::string locator;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("locator", self.locator);
  }
};

struct BookingCancelled {
  static constexpr std::string_view kType = "BookingCancelled";

  Trip trip;
  std::string locator;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("locator", self.locator);
    visit("reason", self.reason);
  }
};

struct PaymentConfirmed {
  static constexpr std::string_view kType = "PaymentConfirmed";

  Trip trip;
  std::string payment_id;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("payment-id", self.payment_id);
  }
};

struct PaymentFailed {
  static constexpr std::string_view kType = "PaymentFailed";

  Trip trip;
  std::string reason;  ///< The acquirer's code: card_declined, insufficient_funds.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("reason", self.reason);
  }
};

struct PaymentRefunded {
  static constexpr std::string_view kType = "PaymentRefunded";

  Trip trip;
  std::string payment_id;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("payment-id", self.payment_id);
    visit("reason", self.reason);
  }
};

struct SeatAssigned {
  static constexpr std::string_view kType = "SeatAssigned";

  Trip trip;
  std::vector<SeatOf> seats;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("seats", self.seats);
  }
};

struct SeatUnavailable {
  static constexpr std::string_view kType = "SeatUnavailable";

  Trip trip;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("reason", self.reason);
  }
};

struct TicketIssued {
  static constexpr std::string_view kType = "TicketIssued";

  Trip trip;
  std::vector<Ticket> tickets;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("tickets", self.tickets);
  }
};

struct NotificationSent {
  static constexpr std::string_view kType = "NotificationSent";

  std::string booking_id;
  std::string about;      ///< The detail-type of the event that it tells of.
  std::string recipient;  ///< The e-mail address.
  std::string message_id;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("about", self.about);
    visit("recipient", self.recipient);
    visit("message-id", self.message_id);
  }
};

struct NotificationFailed {
  static constexpr std::string_view kType = "NotificationFailed";

  std::string booking_id;
  std::string about;
  std::string recipient;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("about", self.about);
    visit("recipient", self.recipient);
    visit("reason", self.reason);
  }
};

}  // namespace conga::contract
