// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/invariants.h"

#include "common/core/check.h"
#include "common/wire/event/event.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace conga::simulation {
namespace {

std::int64_t count(kit::Database& database,
                   std::string_view sql,
                   std::initializer_list<kit::SqlValue> arguments = {}) {
  const auto row = database.one(sql, arguments);
  CONGA_CHECK(row && row->has_value(), "a count has a row");
  return (*row)->integer(0);
}

void expect(Report& report, bool holds, const std::string& what) {
  if (!holds) report.violations.push_back(what);
}

void check_end(const Books& books,
               const Request& request,
               const std::string& status,
               Report& report) {
  const std::string& id = request.booking_id;
  if (status == "confirmed") ++report.confirmed;
  if (status == "cancelled") ++report.cancelled;
  if (status == "expired") ++report.expired;
  expect(report, status != "created", id + ": is in limbo");
  expect(report, request.paid || status != "confirmed", id + ": is confirmed, and not paid");
  if (request.wish == Wish::Silent) {
    expect(report, status != "confirmed", id + ": is confirmed, and nobody answered");
  } else {
    expect(report, books.clock_jumped || status != "expired", id + ": expired before its time");
  }
}

/// Money, seats and tickets are there for a confirmed booking, and for no other.
void check_flight(const Books& books, const Request& request, Report& report) {
  const std::string& id = request.booking_id;
  const auto row = books.booking.one("SELECT status, passengers FROM bookings WHERE booking_id = ?",
                                     {std::string_view(id)});
  if (!row || !row->has_value()) return expect(report, false, id + ": is not booked");
  const std::string& status = (*row)->text(0);
  check_end(books, request, status, report);

  const bool confirmed = status == "confirmed";
  const std::string key = id + "/%";
  const auto charges = count(books.acquirer,
                             "SELECT count(*) FROM captures WHERE key LIKE ? AND reason = ''",
                             {std::string_view(key)});
  const auto refunds = count(
      books.acquirer, "SELECT count(*) FROM refunds WHERE key LIKE ?", {std::string_view(key)});
  const auto seats = count(
      books.seating, "SELECT count(*) FROM seats WHERE booking_id = ?", {std::string_view(id)});
  const auto tickets =
      count(books.ticketing,
            "SELECT count(DISTINCT number) FROM tickets WHERE booking_id = ? AND status = 'open'",
            {std::string_view(id)});
  const auto told = count(books.notification,
                          "SELECT count(*) FROM notifications WHERE booking_id = ?"
                          " AND about = 'TicketIssued' AND channel = 'email' AND outcome = 'sent'",
                          {std::string_view(id)});
  const auto untold =
      count(books.notification,
            "SELECT count(*) FROM notifications WHERE booking_id = ? AND outcome != 'sent'",
            {std::string_view(id)});
  expect(report, charges <= 1, id + ": charges: " + std::to_string(charges));
  expect(report,
         charges - refunds == (confirmed ? 1 : 0),
         id + ": " + status + ", charges: " + std::to_string(charges)
             + ", refunds: " + std::to_string(refunds));
  const std::int64_t due = confirmed ? (*row)->integer(1) : 0;
  expect(report, seats == due, id + ": " + status + ", seats: " + std::to_string(seats));
  expect(report, tickets == due, id + ": " + status + ", tickets: " + std::to_string(tickets));
  expect(report, !confirmed || told == 1, id + ": told of tickets: " + std::to_string(told));
  expect(report, untold == 0, id + ": messages that never went out: " + std::to_string(untold));
}

void note_entry(const bus::JournalEntry& entry, std::set<std::string>& kept, Deliveries& owed) {
  if (entry.kind == bus::JournalEntry::Kind::Event) {
    const auto event = read_event(entry.event.bytes);
    if (event) kept.insert(event->id.text());
    for (const auto& target : entry.event.targets) owed.emplace(entry.event.sequence, target);
  }
  if (entry.kind == bus::JournalEntry::Kind::Settled) {
    owed.erase({entry.settled.sequence, entry.settled.target});
  }
}

}  // namespace

void check_bookings(const Books& books, const std::vector<Request>& requests, Report& report) {
  for (const Request& request : requests) {
    if (request.wish == Wish::Regret) continue;  // the booking that it means is another request's
    if (request.wish != Wish::Invalid && request.wish != Wish::Poison) {
      check_flight(books, request, report);
      continue;
    }
    const auto booked = count(books.booking,
                              "SELECT count(*) FROM bookings WHERE booking_id = ?",
                              {std::string_view(request.booking_id)});
    expect(report, booked == 0, request.booking_id + ": is booked, which nobody can");
  }
  expect(report,
         count(books.acquirer,
               "SELECT count(*) - count(DISTINCT payment_id) FROM captures WHERE reason = ''")
             == 0,
         "two charges have one payment id");
  const auto sold = count(books.booking,
                          "SELECT coalesce(sum(passengers), 0) FROM bookings"
                          " WHERE status = 'confirmed'");
  const auto receivable = count(
      books.payment, "SELECT coalesce(sum(amount), 0) FROM entries WHERE account = 'acquirer'");
  const auto all = count(books.payment, "SELECT coalesce(sum(amount), 0) FROM entries");
  expect(report,
         receivable == sold * kFare,
         "the ledger has " + std::to_string(receivable) + " for " + std::to_string(sold)
             + " passengers");
  expect(report, all == 0, "the ledger does not balance by " + std::to_string(all));
  expect(report,
         count(books.seating,
               "SELECT count(*) - count(DISTINCT flight || ' ' || date || ' ' || seat) FROM seats")
             == 0,
         "a seat is given twice");
  expect(report,
         count(books.ticketing, "SELECT count(*) - count(DISTINCT number) FROM tickets") == 0,
         "a ticket number is given twice");
}

void check_journal(bus::EventStore& store,
                   const std::set<std::string>& acknowledged,
                   const Deliveries& unrecorded,
                   Report& report) {
  constexpr std::size_t kBatch = 1000;
  std::string cursor;
  std::set<std::string> kept;
  Deliveries owed;
  for (;;) {
    const auto entries = store.follow(cursor, kBatch);
    if (!entries) return expect(report, false, "journal: " + entries.error().what);
    if (entries->empty()) break;
    for (const bus::JournalEntry& entry : *entries) note_entry(entry, kept, owed);
  }
  for (const std::string& id : acknowledged) {
    expect(report, kept.contains(id), "acknowledged and lost: event " + id);
  }
  for (const auto& [sequence, target] : owed) {
    expect(report,
           unrecorded.contains({sequence, target}),
           "never ended: event " + std::to_string(sequence) + " for " + target.rule + "/"
               + target.target);
  }
}

void check_dead_letters(bus::DeadLetters& letters,
                        const std::vector<Request>& requests,
                        Report& report) {
  const auto found = letters.list({});
  if (!found) return expect(report, false, "dead letters: " + found.error().what);
  report.dead_letters = found->size();
  std::set<std::string> poison;
  for (const Request& request : requests) {
    if (request.wish == Wish::Poison) poison.insert(request.id.text());
  }
  for (const bus::DeadLetter& letter : *found) {
    expect(report,
           poison.erase(letter.event_id) == 1,
           "dead letter: " + letter.detail_type + " of " + letter.correlation_id + " for "
               + letter.target.rule + ": " + letter.error_code + ": " + letter.error_message);
    expect(report, !letter.error_code.empty(), "a dead letter has no reason");
  }
  expect(report, poison.empty(), "poison is no dead letter");
}

}  // namespace conga::simulation
