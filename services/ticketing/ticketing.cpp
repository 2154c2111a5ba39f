// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/ticketing.h"

#include "services/ticketing/ticket_number.h"

#include <array>

namespace conga::ticketing {
namespace {

/// AUTOINCREMENT never gives a serial again, not even that of a deleted row.
constexpr std::array<std::string_view, 3> kSteps{
    "CREATE TABLE tickets(serial INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT UNIQUE,"
    " booking_id TEXT NOT NULL, passenger TEXT NOT NULL, flight TEXT NOT NULL,"
    " seat TEXT NOT NULL, issued_at INTEGER NOT NULL, UNIQUE(booking_id, passenger)) STRICT;",
    // Bookings that are over: no ticket for what comes late.
    "ALTER TABLE tickets ADD COLUMN status TEXT NOT NULL DEFAULT 'open';"
    "CREATE TABLE over(booking_id TEXT PRIMARY KEY) STRICT;",
    // One coupon for each flight that the ticket is good for.
    "CREATE TABLE coupons(serial INTEGER NOT NULL REFERENCES tickets, coupon INTEGER NOT NULL,"
    " flight TEXT NOT NULL, date TEXT NOT NULL, origin TEXT NOT NULL, destination TEXT NOT NULL,"
    " status TEXT NOT NULL CHECK(status IN ('open', 'void')), PRIMARY KEY(serial, coupon)) STRICT;"
    "INSERT INTO coupons SELECT serial, 1, flight, '', '', '', status FROM tickets;"
    "CREATE TABLE receipts(booking_id TEXT PRIMARY KEY, locator TEXT NOT NULL,"
    " text TEXT NOT NULL, html TEXT NOT NULL) STRICT;"
    "CREATE INDEX receipts_by_locator ON receipts(locator);"};

}  // namespace

const kit::Manifest& Ticketing::declaration() {
  static const kit::Manifest kManifest{
      .service = "ticketing",
      .source = contract::kTicketingSource,
      .consumes = kit::event_types<contract::SeatAssigned,
                                   contract::BookingCancelled,
                                   contract::BookingExpired>(),
      .emits = kit::event_types<contract::TicketIssued, contract::TicketVoided>(),
      .consequences = {
          {.emits = contract::TicketIssued::kType,
           .after = {contract::SeatAssigned::kType},
           .undone_by = contract::TicketVoided::kType},
          {.emits = contract::TicketVoided::kType,
           .after = {contract::BookingCancelled::kType, contract::BookingExpired::kType},
           .once = true}}};
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
  issued.receipt = make_receipt(airline_, issued.trip, issued.tickets, now.wall);
  if (auto kept = keep_receipt(issued.trip, issued.receipt); !kept) return kept.failure();
  return kit::Decision{.facts = {kit::fact(issued)}, .effect = {}};
}

Result<> Ticketing::keep_receipt(const contract::Trip& trip, const contract::Receipt& receipt) {
  const auto stored = database_.run("INSERT INTO receipts VALUES(?, ?, ?, ?)",
                                    {trip.booking_id, trip.locator, receipt.text, receipt.html});
  if (!stored) return stored.failure();
  return {};
}

Result<contract::Receipt> Ticketing::receipt(std::string_view number_or_locator) {
  const auto row = database_.one(
      "SELECT text, html FROM receipts WHERE locator = ?1"
      " OR booking_id = (SELECT booking_id FROM tickets WHERE number = replace(?1, '-', ''))",
      {number_or_locator});
  if (!row) return row.failure();
  if (!row->has_value()) {
    return fail(Fault::Permanent,
                std::string(number_or_locator) + " is no ticket and no booking's locator",
                "UnknownTicket");
  }
  return contract::Receipt{.text = (*row)->text(0), .html = (*row)->text(1)};
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
  const auto coupons = database_.run(
      "UPDATE coupons SET status = 'void' WHERE serial IN"
      " (SELECT serial FROM tickets WHERE booking_id = ?)",
      {trip.booking_id});
  if (!coupons) return coupons.failure();
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
  if (serial >= kTicketSerials) {
    return fail(Fault::Transient,
                "all ticket numbers of airline " + std::to_string(airline_.code)
                    + " are given: ticketing.airline-code needs another one",
                "NoTicketNumbers");
  }
  std::string number = ticket_number(airline_.code, static_cast<std::uint64_t>(serial));
  const auto stored =
      database_.run("UPDATE tickets SET number = ? WHERE serial = ?", {number, serial});
  if (!stored) return stored.failure();
  if (auto added = add_coupons(trip, serial); !added) return added.failure();
  return number;
}

/// A trip is one flight.
Result<> Ticketing::add_coupons(const contract::Trip& trip, std::int64_t serial) {
  const auto stored =
      database_.run("INSERT INTO coupons VALUES(?, 1, ?, ?, ?, ?, 'open')",
                    {serial, trip.flight, trip.date, trip.route.from, trip.route.to});
  if (!stored) return stored.failure();
  return {};
}

}  // namespace conga::ticketing
