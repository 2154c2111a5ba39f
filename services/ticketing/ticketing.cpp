// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticketing.h"

#include "services/ticketing/ticket_number.h"

#include <array>

namespace conga::ticketing {
namespace {

/// AUTOINCREMENT never gives a serial again, not even that of a deleted row.
constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE tickets(serial INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT UNIQUE,"
    " booking_id TEXT NOT NULL, passenger TEXT NOT NULL, flight TEXT NOT NULL,"
    " seat TEXT NOT NULL, issued_at INTEGER NOT NULL, UNIQUE(booking_id, passenger)) STRICT;"};

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
  if (event.detail_type != contract::SeatAssigned::kType) return kit::unexpected_event(event);
  const auto assigned = contract::from_detail<contract::SeatAssigned>(event.detail);
  if (!assigned) return assigned.failure();
  // Seats told of again, under another event id, are no second tickets.
  const auto ticketed = database_.one("SELECT 1 FROM tickets WHERE booking_id = ? LIMIT 1",
                                      {assigned->trip.booking_id});
  if (!ticketed) return ticketed.failure();
  if (ticketed->has_value()) return kit::Decision();
  contract::TicketIssued issued{.trip = assigned->trip, .tickets = {}};
  for (const contract::SeatOf& seat : assigned->seats) {
    const auto number = issue(assigned->trip, seat, now.wall);
    if (!number) return number.failure();
    issued.tickets.push_back({.passenger = seat.passenger, .seat = seat.seat, .number = *number});
  }
  return kit::Decision{.facts = {kit::fact(issued)}, .effect = {}};
}

Result<std::string> Ticketing::issue(const contract::Trip& trip,
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
