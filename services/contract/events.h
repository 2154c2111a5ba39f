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
  std::string name;  ///< Unique in its booking.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("name", self.name);
  }
};

/// Wishes for seats. They are met as far as there are seats.
struct SeatPreferences {
  std::string position = {};  ///< window, aisle, middle; empty: any.
  std::string zone = {};      ///< front, rear; empty: any.
  bool extra_legroom = false;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit.optional("position", self.position);
    visit.optional("zone", self.zone);
    visit.optional("extra-legroom", self.extra_legroom);
  }

  friend bool operator==(const SeatPreferences&, const SeatPreferences&) = default;
};

/// Where and when a flight goes, in the airports' own times. From config/flights.yaml.
struct Route {
  std::string from = {};     ///< IATA code: FRA.
  std::string to = {};       ///< IATA code: LHR.
  std::string departs = {};  ///< 07:15
  std::string arrives = {};  ///< 08:00; `+1` behind it: a day later.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("from", self.from);
    visit("to", self.to);
    visit("departs", self.departs);
    visit("arrives", self.arrives);
  }

  friend bool operator==(const Route&, const Route&) = default;
};

/// What was asked for, and travels with the flow.
struct Trip {
  std::string booking_id;  ///< Also the correlation id of the flow.
  std::string flight;      ///< LH123
  std::string cabin;       ///< economy, premium, business
  std::vector<Passenger> passengers;
  std::string email = {};            ///< Empty: none; then there is a phone.
  Money fare = {};                   ///< For all passengers together.
  std::string phone = {};            ///< E.164, +4915112345678; empty: none.
  std::string language = {};         ///< Of messages, BCP 47: de; empty: English.
  SeatPreferences preferences = {};  ///< Of all passengers.
  std::string date = {};             ///< Of departure, 2026-12-01; empty in a request: tomorrow.
  std::string locator = {};          ///< Six characters for the customer; empty in a request.
  Route route = {};                  ///< Empty in a request.

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("flight", self.flight);
    visit("cabin", self.cabin);
    visit("passengers", self.passengers);
    visit.optional("email", self.email);
    visit("fare", self.fare);
    visit.optional("phone", self.phone);
    visit.optional("language", self.language);
    visit.optional("preferences", self.preferences);
    visit.optional("date", self.date);
    visit.optional("locator", self.locator);
    visit.optional("route", self.route);
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
  std::string card;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
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

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
  }
};

struct BookingCancelled {
  static constexpr std::string_view kType = "BookingCancelled";

  Trip trip;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("reason", self.reason);
  }
};

/// From a customer to booking: gives a confirmed booking back.
struct CancellationRequested {
  static constexpr std::string_view kType = "CancellationRequested";

  std::string booking_id;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
  }
};

/// The booking stays as it is.
struct CancellationRefused {
  static constexpr std::string_view kType = "CancellationRefused";

  std::string booking_id;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("reason", self.reason);
  }
};

/// Nothing was heard of the booking for too long. What was done for it is to be undone, as after
/// BookingCancelled; what comes late is to be undone too.
struct BookingExpired {
  static constexpr std::string_view kType = "BookingExpired";

  Trip trip;
  std::string reason;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
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

/// The seats of a cancelled or expired booking are for sale again.
struct SeatReleased {
  static constexpr std::string_view kType = "SeatReleased";

  Trip trip;
  std::vector<SeatOf> seats;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("seats", self.seats);
  }
};

/// The itinerary receipt, for the customer to keep.
struct Receipt {
  std::string text = {};
  std::string html = {};

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("text", self.text);
    visit("html", self.html);
  }

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct TicketIssued {
  static constexpr std::string_view kType = "TicketIssued";

  Trip trip;
  std::vector<Ticket> tickets;
  Receipt receipt = {};

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("trip", self.trip);
    visit("tickets", self.tickets);
    visit.optional("receipt", self.receipt);
  }
};

/// The tickets of a cancelled or expired booking are worth nothing from here on.
struct TicketVoided {
  static constexpr std::string_view kType = "TicketVoided";

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
  std::string recipient;  ///< The e-mail address or phone number.
  std::string message_id;
  std::string channel = "email";  ///< email, sms

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("about", self.about);
    visit("recipient", self.recipient);
    visit("message-id", self.message_id);
    visit("channel", self.channel);
  }
};

struct NotificationFailed {
  static constexpr std::string_view kType = "NotificationFailed";

  std::string booking_id;
  std::string about;
  std::string recipient;
  std::string reason;
  std::string channel = "email";  ///< email, sms

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("booking-id", self.booking_id);
    visit("about", self.about);
    visit("recipient", self.recipient);
    visit("reason", self.reason);
    visit("channel", self.channel);
  }
};

}  // namespace conga::contract
