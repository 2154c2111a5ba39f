// SPDX-License-Identifier: Apache-2.0

#include "services/booking/booking.h"

#include "services/booking/status.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace conga::booking {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE bookings(booking_id TEXT PRIMARY KEY, locator TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK(status IN ('created', 'confirmed', 'cancelled')),"
    " reason TEXT NOT NULL DEFAULT '', flight TEXT NOT NULL, cabin TEXT NOT NULL,"
    " passengers INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,"
    " email TEXT NOT NULL, requested_by TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;"};

constexpr std::size_t kMaxPassengers = 9;  // more is a group booking, which airlines sell otherwise
constexpr std::size_t kMaxText = 200;

/// Text that goes into mail headers and tables: no control characters, not endless.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxText && std::ranges::none_of(text, [](char letter) {
    const auto code = static_cast<unsigned char>(letter);
    return code < 0x20 || code == 0x7f;
  });
}

/// The shape `local@domain.tld`; whether it exists only a mail can tell.
bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (!is_plain(text) || at == 0 || at == std::string_view::npos) return false;
  const std::string_view domain = text.substr(at + 1);
  return text.find_first_of(" <>,;\"()\\", 0) == std::string_view::npos
         && domain.find('@') == std::string_view::npos && domain.find('.') != std::string_view::npos
         && !domain.starts_with('.') && !domain.ends_with('.');
}

/// ISO 4217's form; the acquirer knows which it takes.
bool is_currency(std::string_view text) {
  return text.size() == 3
         && std::ranges::all_of(text, [](char letter) { return letter >= 'A' && letter <= 'Z'; });
}

bool is_card(std::string_view text) {
  return text.size() >= 12 && text.size() <= 19
         && std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

void add_passenger_faults(const contract::Trip& trip, std::vector<std::string>& faults) {
  if (trip.passengers.empty() || trip.passengers.size() > kMaxPassengers) {
    faults.emplace_back("passengers: from 1 to 9 can be booked together");
  }
  std::set<std::string_view> names;
  for (const contract::Passenger& passenger : trip.passengers) {
    if (!is_plain(passenger.name)) faults.emplace_back("passengers: each needs a name");
    if (!names.insert(passenger.name).second) {
      faults.push_back("passengers: " + passenger.name + " is there twice");
    }
  }
}

/// Letters and digits that nobody mistakes for one another: no 0/O, 1/I/L.
std::string locator_of(const Uuid& id, std::size_t attempt) {
  constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
  const Uuid chance = Uuid::v5(id, "locator/" + std::to_string(attempt));
  std::string locator;
  for (std::size_t at = 0; at < 6; ++at) locator += kAlphabet[chance.bytes[at] % kAlphabet.size()];
  return locator;
}

std::optional<Status> status_of(std::string_view name) {
  for (const Status status : {Status::Created, Status::Confirmed, Status::Cancelled}) {
    if (name == name_of(status)) return status;
  }
  return std::nullopt;
}

struct Stored {
  Status status;
  std::string locator;
};

Result<Stored> find(kit::Database& database, const std::string& booking_id) {
  const auto row =
      database.one("SELECT status, locator FROM bookings WHERE booking_id = ?", {booking_id});
  if (!row) return row.failure();
  const auto status = row->has_value() ? status_of((*row)->text(0)) : std::nullopt;
  if (!status) {
    return fail(Fault::Permanent, "no booking is known as " + booking_id, "UnknownBooking");
  }
  return Stored{.status = *status, .locator = (*row)->text(1)};
}

Result<> move(kit::Database& database,
              const std::string& booking_id,
              Status to,
              const std::string& reason) {
  const auto moved = database.run("UPDATE bookings SET status = ?, reason = ? WHERE booking_id = ?",
                                  {name_of(to), reason, booking_id});
  return moved ? Result<>() : moved.failure();
}

}  // namespace

std::vector<std::string> faults_of(const contract::BookingRequested& request,
                                   const Flights& flights) {
  const contract::Trip& trip = request.trip;
  std::vector<std::string> faults;
  if (!is_plain(trip.booking_id)) faults.emplace_back("booking-id: must be given");
  const auto flight = flights.find(trip.flight);
  if (flight == flights.end()) {
    faults.push_back("flight: " + trip.flight + " is not on sale");
  } else if (std::ranges::find(flight->second, trip.cabin) == flight->second.end()) {
    faults.push_back("cabin: " + trip.flight + " has no " + trip.cabin);
  }
  add_passenger_faults(trip, faults);
  if (!is_email(trip.email)) faults.emplace_back("email: is not an address");
  if (trip.fare.amount <= 0) faults.emplace_back("fare: must be above 0");
  if (!is_currency(trip.fare.currency))
    faults.emplace_back("fare: the currency is no ISO 4217 code");
  if (!is_card(request.card)) faults.emplace_back("card: is not a card number");
  return faults;
}

Booking::Booking(kit::Database& database, Flights flights)
    : database_(database), flights_(std::move(flights)) {}

const kit::Manifest& Booking::declaration() {
  static const kit::Manifest kManifest{.service = "booking",
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
                                                                 contract::CancellationRefused>()};
  return kManifest;
}

Result<> Booking::migrate() {
  return database_.migrate("booking", kSteps);
}

Result<kit::Decision> Booking::handle(const EventView& event, const Time& now) {
  if (event.detail_type == contract::BookingRequested::kType) return begin_flow(event, now);
  if (event.detail_type == contract::TicketIssued::kType) return confirm(event);
  if (event.detail_type == contract::PaymentFailed::kType) {
    const auto failed = contract::from_detail<contract::PaymentFailed>(event.detail);
    if (!failed) return failed.failure();
    return cancel(failed->trip, "payment failed: " + failed->reason);
  }
  if (event.detail_type == contract::PaymentRefunded::kType) {
    const auto refunded = contract::from_detail<contract::PaymentRefunded>(event.detail);
    if (!refunded) return refunded.failure();
    return cancel(refunded->trip, "refunded: " + refunded->reason);
  }
  return kit::unexpected_event(event);
}

/// The booking id is the flow's correlation id from here on, whatever the request came with.
Result<kit::Decision> Booking::begin_flow(const EventView& event, const Time& now) {
  const auto request = contract::from_detail<contract::BookingRequested>(event.detail);
  if (!request) return request.failure();
  auto decision = this->request(event, *request, now);
  if (!decision) return decision;
  for (kit::Fact& fact : decision->facts) fact.correlation_id = request->trip.booking_id;
  return decision;
}

Result<kit::Decision> Booking::request(const EventView& event,
                                       const contract::BookingRequested& request,
                                       const Time& now) {
  const contract::Trip& trip = request.trip;
  std::vector<std::string> faults = faults_of(request, flights_);
  const auto known =
      database_.one("SELECT 1 FROM bookings WHERE booking_id = ?", {trip.booking_id});
  if (!known) return known.failure();
  if (known->has_value()) faults.push_back("booking-id: " + trip.booking_id + " is taken");
  if (!faults.empty()) {
    return kit::Decision{.facts = {kit::fact(contract::BookingRejected{
                             .booking_id = trip.booking_id, .faults = std::move(faults)})},
                         .effect = {}};
  }
  const auto locator = free_locator(event);
  if (!locator) return locator.failure();
  const auto stored = database_.run(
      "INSERT INTO bookings(booking_id, locator, status, flight, cabin, passengers, amount,"
      " currency, email, requested_by, created_at) VALUES(?, ?, 'created', ?, ?, ?, ?, ?, ?, ?, ?)",
      {trip.booking_id,
       *locator,
       trip.flight,
       trip.cabin,
       static_cast<std::int64_t>(trip.passengers.size()),
       trip.fare.amount,
       trip.fare.currency,
       trip.email,
       event.id.text(),
       std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  contract::BookingCreated created{.trip = trip, .card = request.card};
  created.trip.locator = *locator;
  return kit::Decision{.facts = {kit::fact(created)}, .effect = {}};
}

Result<std::string> Booking::free_locator(const EventView& event) {
  for (std::size_t attempt = 0;; ++attempt) {
    std::string locator = locator_of(event.id, attempt);
    const auto taken = database_.one("SELECT 1 FROM bookings WHERE locator = ?", {locator});
    if (!taken) return taken.failure();
    if (!taken->has_value()) return locator;
  }
}

Result<kit::Decision> Booking::confirm(const EventView& event) {
  const auto issued = contract::from_detail<contract::TicketIssued>(event.detail);
  if (!issued) return issued.failure();
  const auto stored = find(database_, issued->trip.booking_id);
  if (!stored) return stored.failure();
  if (!is_allowed(stored->status, Status::Confirmed)) return kit::Decision();
  if (auto moved = move(database_, issued->trip.booking_id, Status::Confirmed, ""); !moved) {
    return moved.failure();
  }
  return kit::Decision{.facts = {kit::fact(contract::BookingConfirmed{.trip = issued->trip})},
                       .effect = {}};
}

Result<kit::Decision> Booking::cancel(const contract::Trip& trip, const std::string& reason) {
  const auto stored = find(database_, trip.booking_id);
  if (!stored) return stored.failure();
  if (!is_allowed(stored->status, Status::Cancelled)) return kit::Decision();
  if (auto moved = move(database_, trip.booking_id, Status::Cancelled, reason); !moved) {
    return moved.failure();
  }
  return kit::Decision{
      .facts = {kit::fact(contract::BookingCancelled{.trip = trip, .reason = reason})},
      .effect = {}};
}

}  // namespace conga::booking
