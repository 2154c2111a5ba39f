// SPDX-License-Identifier: Apache-2.0

#include "services/seating/seating.h"

#include "services/seating/cabin_map.h"

#include <array>
#include <utility>

namespace conga::seating {
namespace {

constexpr std::array<std::string_view, 3> kSteps{
    "CREATE TABLE seats(flight TEXT NOT NULL, seat TEXT NOT NULL, booking_id TEXT NOT NULL,"
    " passenger TEXT NOT NULL, PRIMARY KEY(flight, seat), UNIQUE(booking_id, passenger)) STRICT;",
    // Bookings that are over: no seat for what comes late.
    "CREATE TABLE over(booking_id TEXT PRIMARY KEY) STRICT;",
    // A flight goes every day.
    "ALTER TABLE seats RENAME TO old_seats;"
    "CREATE TABLE seats(flight TEXT NOT NULL, date TEXT NOT NULL, seat TEXT NOT NULL,"
    " booking_id TEXT NOT NULL, passenger TEXT NOT NULL, PRIMARY KEY(flight, date, seat),"
    " UNIQUE(booking_id, passenger)) STRICT;"
    "INSERT INTO seats SELECT flight, '', seat, booking_id, passenger FROM old_seats;"
    "DROP TABLE old_seats;"};

/// The fault of a flight that the airline does not fly.
tl::unexpected<Error> unknown_flight(const std::string& flight, const Fleet& fleet) {
  std::string known;
  for (const auto& each : fleet) known += (known.empty() ? "" : ", ") + each.first;
  return fail(Fault::Permanent, flight + " is no flight; there are " + known, "UnknownFlight");
}

}  // namespace

Seating::Seating(kit::Database& database, Fleet fleet)
    : database_(database), fleet_(std::move(fleet)) {}

const kit::Manifest& Seating::declaration() {
  static const kit::Manifest kManifest{
      .service = "seating",
      .source = contract::kSeatingSource,
      .consumes = kit::event_types<contract::PaymentConfirmed,
                                   contract::BookingCancelled,
                                   contract::BookingExpired>(),
      .emits = kit::
          event_types<contract::SeatAssigned, contract::SeatUnavailable, contract::SeatReleased>(),
      .consequences = {
          {.emits = contract::SeatAssigned::kType,
           .after = {contract::PaymentConfirmed::kType},
           .undone_by = contract::SeatReleased::kType},
          {.emits = contract::SeatUnavailable::kType,
           .after = {contract::PaymentConfirmed::kType},
           .failure = true},
          {.emits = contract::SeatReleased::kType,
           .after = {contract::BookingCancelled::kType, contract::BookingExpired::kType},
           .once = true}}};
  return kManifest;
}

Result<> Seating::migrate() {
  return database_.migrate("seating", kSteps);
}

Result<kit::Decision> Seating::handle(const EventView& event, const Time& /*now*/) {
  if (event.detail_type == contract::PaymentConfirmed::kType) {
    const auto paid = contract::from_detail<contract::PaymentConfirmed>(event.detail);
    return paid ? seat(paid->trip) : paid.failure();
  }
  if (event.detail_type == contract::BookingCancelled::kType) {
    const auto cancelled = contract::from_detail<contract::BookingCancelled>(event.detail);
    return cancelled ? release(cancelled->trip) : cancelled.failure();
  }
  if (event.detail_type != contract::BookingExpired::kType) return kit::unexpected_event(event);
  const auto expired = contract::from_detail<contract::BookingExpired>(event.detail);
  return expired ? release(expired->trip) : expired.failure();
}

Result<kit::Decision> Seating::seat(const contract::Trip& trip) {
  const auto settled = is_settled(trip.booking_id);
  if (!settled) return settled.failure();
  if (*settled) return kit::Decision();
  const auto seats = assign(trip);
  if (!seats) return seats.failure();
  if (seats->empty()) {
    return kit::Decision{
        .facts = {kit::fact(contract::SeatUnavailable{
            .trip = trip, .reason = trip.cabin + " of " + trip.flight + " is full"})},
        .effect = {}};
  }
  if (auto given = give(trip, *seats); !given) return given.failure();
  return kit::Decision{.facts = {kit::fact(contract::SeatAssigned{.trip = trip, .seats = *seats})},
                       .effect = {}};
}

/// It is seated, by an earlier confirmation of the same payment under another event id, or over.
Result<bool> Seating::is_settled(const std::string& booking_id) {
  const auto row = database_.one(
      "SELECT 1 FROM seats WHERE booking_id = ?1"
      " UNION ALL SELECT 1 FROM over WHERE booking_id = ?1 LIMIT 1",
      {booking_id});
  if (!row) return row.failure();
  return row->has_value();
}

/// The booking is over, whether it has seats, had none, or would get them only now.
Result<kit::Decision> Seating::release(const contract::Trip& trip) {
  const auto noted = database_.run("INSERT OR IGNORE INTO over VALUES(?)", {trip.booking_id});
  if (!noted) return noted.failure();
  const auto rows = database_.all(
      "DELETE FROM seats WHERE booking_id = ? RETURNING passenger, seat", {trip.booking_id});
  if (!rows) return rows.failure();
  if (rows->empty()) return kit::Decision();
  contract::SeatReleased released{.trip = trip, .seats = {}};
  for (const kit::Row& row : *rows) {
    released.seats.push_back({.passenger = row.text(0), .seat = row.text(1)});
  }
  return kit::Decision{.facts = {kit::fact(released)}, .effect = {}};
}

Result<std::vector<contract::SeatOf>> Seating::assign(const contract::Trip& trip) {
  const auto cabin = fleet_.find(trip.flight);
  if (cabin == fleet_.end()) return std::vector<contract::SeatOf>();
  const auto gone = taken(trip.flight, trip.date);
  if (!gone) return gone.failure();
  const std::vector<Seat> chosen =
      choose_seats(free_seats(cabin->second.seats_of(trip.cabin), *gone),
                   trip.preferences,
                   trip.passengers.size());
  std::vector<contract::SeatOf> seats;
  for (std::size_t at = 0; at < chosen.size(); ++at) {
    seats.push_back({.passenger = trip.passengers[at].name, .seat = chosen[at].name});
  }
  return seats;
}

Result<SeatNames> Seating::taken(std::string_view flight, std::string_view date) {
  const auto rows =
      database_.all("SELECT seat FROM seats WHERE flight = ? AND date = ?", {flight, date});
  if (!rows) return rows.failure();
  SeatNames names;
  for (const kit::Row& row : *rows) names.insert(row.text(0));
  return names;
}

/// The primary key, not this code, is what keeps a seat from being given twice.
Result<> Seating::give(const contract::Trip& trip, const std::vector<contract::SeatOf>& seats) {
  for (const contract::SeatOf& seat : seats) {
    const auto stored =
        database_.run("INSERT INTO seats VALUES(?, ?, ?, ?, ?)",
                      {trip.flight, trip.date, seat.seat, trip.booking_id, seat.passenger});
    if (!stored) return stored.failure();
  }
  return {};
}

Result<std::string> Seating::map(const std::string& flight) {
  const std::size_t slash = flight.find('/');
  const std::string number = flight.substr(0, slash);
  const auto cabin = fleet_.find(number);
  if (cabin == fleet_.end()) return unknown_flight(number, fleet_);
  std::vector<std::string> dates;
  if (slash != std::string::npos) dates.push_back(flight.substr(slash + 1));
  const auto rows =
      database_.all("SELECT DISTINCT date FROM seats WHERE flight = ? ORDER BY date", {number});
  if (!rows) return rows.failure();
  for (const kit::Row& row : *rows) {
    if (slash == std::string::npos) dates.push_back(row.text(0));
  }
  std::string text;
  for (const std::string& date : dates) {
    const auto gone = taken(number, date);
    if (!gone) return gone.failure();
    text += (text.empty() ? "" : "\n") + cabin_map(number + " on " + date, cabin->second, *gone);
  }
  return text.empty() ? number + ": nobody is booked on any day\n" : text;
}

}  // namespace conga::seating
