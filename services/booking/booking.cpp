// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"

#include "services/booking/request_check.h"

#include <array>
#include <string_view>
#include <utility>

namespace conga::booking {
namespace {

using contract::from_detail;

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE bookings(booking_id TEXT PRIMARY KEY, locator TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('created', 'confirmed', 'cancelled')),"
    " reason TEXT NOT NULL DEFAULT '', flight TEXT NOT NULL, cabin TEXT NOT NULL,"
    " passengers INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,"
    " email TEXT NOT NULL, requested_by TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;",
    // SQLite cannot change a CHECK: the rows move. `trip` is as contract::Trip writes it.
    "ALTER TABLE bookings RENAME TO old_bookings;"
    "CREATE TABLE bookings(booking_id TEXT PRIMARY KEY, locator TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('created', 'confirmed', 'cancelled', 'expired')),"
    " reason TEXT NOT NULL DEFAULT '', flight TEXT NOT NULL, date TEXT NOT NULL,"
    " cabin TEXT NOT NULL, passengers INTEGER NOT NULL, amount INTEGER NOT NULL,"
    " currency TEXT NOT NULL, email TEXT NOT NULL, requested_by TEXT NOT NULL,"
    " created_at INTEGER NOT NULL, trip BLOB NOT NULL) STRICT;"
    "INSERT INTO bookings SELECT booking_id, locator, status, reason, flight, '', cabin,"
    " passengers, amount, currency, email, requested_by, created_at, x'' FROM old_bookings;"
    "DROP TABLE old_bookings;"};

constexpr std::string_view kExpire = "expire/";

/// Letters and digits that nobody mistakes for one another: no 0/O, 1/I/L.
std::string locator_of(const Uuid& id, std::size_t attempt) {
  constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
  const Uuid chance = Uuid::v5(id, "locator/" + std::to_string(attempt));
  std::string locator;
  for (std::size_t at = 0; at < 6; ++at) locator += kAlphabet[chance.bytes[at] % kAlphabet.size()];
  return locator;
}

kit::Decision decision(kit::Fact fact) {
  return {.facts = {std::move(fact)}, .effect = {}};
}

kit::Fact fact_of(Status status, contract::Trip trip, const std::string& reason) {
  if (status == Status::Confirmed) {
    return kit::fact(contract::BookingConfirmed{.trip = std::move(trip)});
  }
  if (status == Status::Expired) {
    return kit::fact(contract::BookingExpired{.trip = std::move(trip), .reason = reason});
  }
  return kit::fact(contract::BookingCancelled{.trip = std::move(trip), .reason = reason});
}

tl::unexpected<Error> unknown(const std::string& booking_id) {
  return fail(Fault::Permanent, "no booking is known as " + booking_id, "UnknownBooking");
}

}  // namespace

Booking::Booking(kit::Database& database, BookingOptions options)
    : database_(database), options_(std::move(options)) {}

const kit::Manifest& Booking::declaration() {
  static const kit::Manifest kManifest{
      .service = "booking",
      .source = contract::kBookingSource,
      .consumes = kit::event_types<contract::BookingRequested,
                                   contract::CancellationRequested,
                                   contract::PaymentFailed,
                                   contract::PaymentRefunded,
                                   contract::TicketIssued>(),
      .emits = kit::event_types<contract::BookingCreated,
                                contract::BookingRejected,
                                contract::BookingConfirmed,
                                contract::BookingCancelled,
                                contract::BookingExpired,
                                contract::CancellationRefused>(),
      .consequences = {
          {.emits = contract::BookingCreated::kType, .after = {contract::BookingRequested::kType}},
          {.emits = contract::BookingRejected::kType, .after = {contract::BookingRequested::kType}},
          {.emits = contract::BookingConfirmed::kType, .after = {contract::TicketIssued::kType}},
          {.emits = contract::BookingCancelled::kType,
           .after = {contract::PaymentFailed::kType,
                     contract::PaymentRefunded::kType,
                     contract::CancellationRequested::kType},
           .failure = true},
          {.emits = contract::BookingExpired::kType,
           .after = {contract::BookingRequested::kType},
           .failure = true},
          {.emits = contract::CancellationRefused::kType,
           .after = {contract::CancellationRequested::kType}}}};
  return kManifest;
}

Result<> Booking::migrate() {
  return database_.migrate("booking", kSteps);
}

Result<kit::Decision> Booking::handle(const EventView& event, const Time& now) {
  if (event.detail_type == contract::BookingRequested::kType) return request(event, now);
  if (event.detail_type == contract::CancellationRequested::kType) return give_up(event);
  return conclude(event);
}

/// The booking id is the flow's correlation id from here on, whatever the request came with.
Result<kit::Decision> Booking::request(const EventView& event, const Time& now) {
  const auto request = from_detail<contract::BookingRequested>(event.detail);
  if (!request) return request.failure();
  auto decision = create(event, *request, now);
  if (!decision) return decision;
  for (kit::Fact& fact : decision->facts) fact.correlation_id = request->trip.booking_id;
  return decision;
}

Result<kit::Decision> Booking::create(const EventView& event,
                                      const contract::BookingRequested& request,
                                      const Time& now) {
  contract::Trip trip = request.trip;
  auto faults = faults_of(request, options_.flights, now.wall);
  const auto known = find(trip.booking_id);
  if (!known) return known.failure();
  if (known->has_value()) faults.push_back("booking-id: " + trip.booking_id + " is taken");
  if (!faults.empty()) {
    return decision(kit::fact(
        contract::BookingRejected{.booking_id = trip.booking_id, .faults = std::move(faults)}));
  }
  const auto locator = free_locator(event);
  if (!locator) return locator.failure();
  trip.locator = *locator;
  trip.route = options_.flights.find(trip.flight)->second.route;
  if (trip.date.empty()) trip.date = date_after(now.wall, 1);
  const auto stored = database_.run(
      "INSERT INTO bookings(booking_id, locator, status, flight, date, cabin, passengers, amount,"
      " currency, email, requested_by, created_at, trip)"
      " VALUES(?, ?, 'created', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {trip.booking_id,
       trip.locator,
       trip.flight,
       trip.date,
       trip.cabin,
       static_cast<std::int64_t>(trip.passengers.size()),
       trip.fare.amount,
       trip.fare.currency,
       trip.email,
       event.id.text(),
       std::int64_t{now.wall.time_since_epoch().count()},
       kit::Blob{contract::to_detail(trip)}});
  if (!stored) return stored.failure();
  auto created = decision(kit::fact(contract::BookingCreated{.trip = trip, .card = request.card}));
  created.timers.push_back(
      {.name = std::string(kExpire) + trip.booking_id, .due = now.wall + options_.expire_after});
  return created;
}

Result<std::string> Booking::free_locator(const EventView& event) {
  for (std::size_t attempt = 0;; ++attempt) {
    std::string locator = locator_of(event.id, attempt);
    const auto taken = database_.one("SELECT 1 FROM bookings WHERE locator = ?", {locator});
    if (!taken) return taken.failure();
    if (!taken->has_value()) return locator;
  }
}

/// What the others report of a booking.
Result<kit::Decision> Booking::conclude(const EventView& event) {
  if (event.detail_type == contract::TicketIssued::kType) {
    const auto issued = from_detail<contract::TicketIssued>(event.detail);
    if (!issued) return issued.failure();
    return move(issued->trip.booking_id, Trigger::Ticketed, "");
  }
  if (event.detail_type == contract::PaymentFailed::kType) {
    const auto failed = from_detail<contract::PaymentFailed>(event.detail);
    if (!failed) return failed.failure();
    return move(failed->trip.booking_id, Trigger::NotPaid, "payment failed: " + failed->reason);
  }
  if (event.detail_type != contract::PaymentRefunded::kType) return kit::unexpected_event(event);
  const auto refunded = from_detail<contract::PaymentRefunded>(event.detail);
  if (!refunded) return refunded.failure();
  return move(refunded->trip.booking_id, Trigger::Refunded, "refunded: " + refunded->reason);
}

Result<kit::Decision> Booking::give_up(const EventView& event) {
  const auto asked = from_detail<contract::CancellationRequested>(event.detail);
  if (!asked) return asked.failure();
  const auto stored = find(asked->booking_id);
  if (!stored) return stored.failure();
  const auto refused = [&](const std::string& reason) {
    return decision(kit::fact(
        contract::CancellationRefused{.booking_id = asked->booking_id, .reason = reason}));
  };
  if (!stored->has_value()) return refused("no such booking");
  if (!next((*stored)->status, Trigger::GivenUp)) {
    return refused("it is " + std::string(name_of((*stored)->status)) + " already");
  }
  return move(asked->booking_id, Trigger::GivenUp, "the customer asked for it");
}

Result<kit::Facts> Booking::on_timer(const std::string& name, const Time& /*now*/) {
  auto moved = move(name.substr(kExpire.size()),
                    Trigger::TimedOut,
                    "it was not concluded in " + format_duration(options_.expire_after));
  if (!moved) return moved.failure();
  return std::move(moved->facts);
}

/// Nothing follows where status.h's table knows no way.
Result<kit::Decision> Booking::move(const std::string& booking_id,
                                    Trigger trigger,
                                    const std::string& reason) {
  auto stored = find(booking_id);
  if (!stored) return stored.failure();
  if (!stored->has_value()) return unknown(booking_id);
  const auto status = next((*stored)->status, trigger);
  if (!status) return kit::Decision();
  const auto moved =
      database_.run("UPDATE bookings SET status = ?, reason = ? WHERE booking_id = ?",
                    {name_of(*status), reason, booking_id});
  if (!moved) return moved.failure();
  auto concluded = decision(fact_of(*status, std::move((*stored)->trip), reason));
  concluded.timers.push_back({.name = std::string(kExpire) + booking_id, .due = {}});
  return concluded;
}

Result<std::optional<Booking::Stored>> Booking::find(const std::string& booking_id) {
  const auto row =
      database_.one("SELECT status, trip FROM bookings WHERE booking_id = ?", {booking_id});
  if (!row) return row.failure();
  if (!row->has_value()) return std::optional<Stored>();
  const auto status = status_of((*row)->text(0));
  const auto trip = from_detail<contract::Trip>(Value::trusted((*row)->text(1)));
  if (status && trip) return std::optional(Stored{.status = *status, .trip = *trip});
  return fail(Fault::Permanent,
              "booking " + booking_id + " is stored in a form that this version cannot read",
              "BrokenBooking");
}

}  // namespace conga::booking
