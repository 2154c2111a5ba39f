// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticketing.h"

#include "services/ticketing/ticket_number.h"

#include <array>

namespace conga::ticketing {
namespace {

/// AUTOINCREMENT never gives a serial again, not even that of a deleted row.
constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE tickets(serial INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT UNIQUE,"
    " booking_id TEXT NOT NULL, passenger TEXT NOT NULL, flight TEXT NOT NULL,"
    " seat TEXT NOT NULL, issued_at INTEGER NOT NULL, UNIQUE(booking_id, passenger)) STRICT;",
    // Bookings that are over: no ticket for what comes late.
    "ALTER TABLE tickets ADD COLUMN status TEXT NOT NULL DEFAULT 'open';"
    "CREATE TABLE over(booking_id TEXT PRIMARY KEY) STRICT;"};

}  // namespace

const kit::Manifest& Ticketing::declaration() {
  static const kit::Manifest kManifest{
      .service = "ticketing",
      .source = contract::kTicketingSource,
      .consumes = kit::event_types<contract::SeatAssigned,
                                   contract::BookingCancelled,
                                   contract::BookingExpired>(),
      .emits = kit::event_types<contract::TicketIssued, contract::TicketVoided>()};
  return kManifest;
}

Result<> Ticketing::migrate() {
  return database_.migrate("ticketing", kSteps);
}

Result<kit::Decision> Ticketing::handle(const EventView& event, const Time& now) {
  if (event.detail_type == contract::SeatAssigned::kType) {
    const auto assigned = contract::from_detail<contract::SeatAssigned>(event.detail);
    return assigned ? issue(*assigned, now) : assigned.failure();
  }
  if (event.detail_type == contract::BookingCancelled::kType) {
    const auto cancelled = contract::from_detail<contract::BookingCancelled>(event.detail);
    return cancelled ? void_tickets(cancelled->trip) : cancelled.failure();
  }
  if (event.detail_type != contract::BookingExpired::kType) return kit::unexpected_event(event);
  const auto expired = contract::from_detail<contract::BookingExpired>(event.detail);
  return expired ? void_tickets(expired->trip) : expired.failure();
}

Result<kit::Decision> Ticketing::issue(const contract::SeatAssigned& assigned, const Time& now) {
  const auto settled = is_settled(assigned.trip.booking_id);
  if (!settled) return settled.failure();
  if (*settled) return kit::Decision();
  contract::TicketIssued issued{.trip = assigned.trip, .tickets = {}};
  for (const contract::SeatOf& seat : assigned.seats) {
    const auto number = number_for(assigned.trip, seat, now.wall);
    if (!number) return number.failure();
    issued.tickets.push_back({.passenger = seat.passenger, .seat = seat.seat, .number = *number});
  }
  return kit::Decision{.facts = {kit::fact(issued)}, .effect = {}};
}

/// It is ticketed, for seats told of under another event id, or over.
Result<bool> Ticketing::is_settled(const std::string& booking_id) {
  const auto row = database_.one(
      "SELECT 1 FROM tickets WHERE booking_id = ?1"
      " UNION ALL SELECT 1 FROM over WHERE booking_id = ?1 LIMIT 1",
      {booking_id});
  if (!row) return row.failure();
  return row->has_value();
}

/// The booking is over, whether it has tickets, had none, or would get them only now.
Result<kit::Decision> Ticketing::void_tickets(const contract::Trip& trip) {
  const auto noted = database_.run("INSERT OR IGNORE INTO over VALUES(?)", {trip.booking_id});
  if (!noted) return noted.failure();
  const auto rows = database_.all(
      "UPDATE tickets SET status = 'void' WHERE booking_id = ? AND status = 'open'"
      " RETURNING passenger, seat, number",
      {trip.booking_id});
  if (!rows) return rows.failure();
  if (rows->empty()) return kit::Decision();
  contract::TicketVoided voided{.trip = trip, .tickets = {}};
  for (const kit::Row& row : *rows) {
    voided.tickets.push_back(
        {.passenger = row.text(0), .seat = row.text(1), .number = row.text(2)});
  }
  return kit::Decision{.facts = {kit::fact(voided)}, .effect = {}};
}

Result<std::string> Ticketing::number_for(const contract::Trip& trip,
                                          const contract::SeatOf& seat,
                                          WallTime now) {
  const auto row = database_.one(
      "INSERT INTO tickets(booking_id, passenger, flight, seat, issued_at) VALUES(?, ?, ?, ?, ?)"
      " RETURNING serial",
      {trip.booking_id,
       seat.passenger,
       trip.flight,
       seat.seat,
       std::int64_t{now.time_since_epoch().count()}});
  if (!row) return row.failure();
  const std::int64_t serial = (*row)->integer(0);
  std::string number = ticket_number(airline_, static_cast<std::uint64_t>(serial));
  const auto stored =
      database_.run("UPDATE tickets SET number = ? WHERE serial = ?", {number, serial});
  if (!stored) return stored.failure();
  return number;
}

}  // namespace conga::ticketing
