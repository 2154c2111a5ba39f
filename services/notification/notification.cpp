// SPDX-License-Identifier: Apache-2.0

#include "services/notification/notification.h"

#include "services/notification/dispatch.h"
#include "services/notification/letters.h"
#include "services/notification/message.h"

#include <array>
#include <utility>

namespace conga::notification {
namespace {

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE notifications(event_id TEXT PRIMARY KEY, booking_id TEXT NOT NULL,"
    " about TEXT NOT NULL, recipient TEXT NOT NULL, outcome TEXT NOT NULL,"
    " at INTEGER NOT NULL) STRICT;",
    "CREATE TABLE messages(event_id TEXT NOT NULL, channel TEXT NOT NULL,"
    " booking_id TEXT NOT NULL, about TEXT NOT NULL, recipient TEXT NOT NULL,"
    " outcome TEXT NOT NULL CHECK(outcome IN ('sending', 'sent', 'failed')),"
    " reason TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(event_id, channel)) STRICT;"
    "INSERT INTO messages SELECT event_id, 'email', booking_id, about, recipient,"
    " iif(outcome IN ('sending', 'sent'), outcome, 'failed'),"
    " iif(outcome IN ('sending', 'sent'), '', outcome), at FROM notifications;"
    "DROP TABLE notifications;"
    "ALTER TABLE messages RENAME TO notifications;"
    "CREATE TABLE opt_outs(recipient TEXT NOT NULL COLLATE NOCASE,"
    " channel TEXT NOT NULL CHECK(channel IN ('email', 'sms')),"
    " PRIMARY KEY(recipient, channel)) STRICT;"};

Outcome outcome_of(const Item& item, const Result<>& delivered) {
  if (delivered) {
    return {.channel = item.channel, .outcome = std::string(kSent), .reason = {}, .code = {}};
  }
  const Error& error = delivered.error();
  const bool later = error.fault == Fault::Transient;
  return {.channel = item.channel,
          .outcome = std::string(later ? kSending : kFailed),
          .reason = error.what,
          .code = error.code};
}

std::string key_of(const std::string& event_id, std::string_view channel) {
  return channel == kEmail ? event_id : event_id + "-sms";
}

/// Of an e-mail: in the sender's domain, as RFC 5322 §3.6.4 advises.
std::string message_id(const std::string& event_id,
                       std::string_view channel,
                       const std::string& from) {
  const std::string key = key_of(event_id, channel);
  return channel == kEmail ? "<" + key + from.substr(from.rfind('@')) + ">" : key;
}

std::string email_text(const EventView& event,
                       const std::string& from,
                       const std::string& to,
                       const Words& words) {
  // The event's own time, so that a repeat makes the same message to the byte.
  const auto date = parse_rfc3339(event.time);
  return to_text({.from = from,
                  .to = to,
                  .subject = words.subject,
                  .message_id = message_id(event.id.text(), kEmail, from),
                  .date = date ? *date : WallTime(),
                  .language = words.language,
                  .text = words.text,
                  .html = words.html});
}

/// `row`: channel, booking_id, about, recipient, outcome, reason.
kit::Fact fact_of(const kit::Row& row, const std::string& event_id, const std::string& from) {
  const std::string& channel = row.text(0);
  if (row.text(4) == kFailed) {
    return kit::fact(contract::NotificationFailed{.booking_id = row.text(1),
                                                  .about = row.text(2),
                                                  .recipient = row.text(3),
                                                  .reason = row.text(5),
                                                  .channel = channel});
  }
  return kit::fact(contract::NotificationSent{.booking_id = row.text(1),
                                              .about = row.text(2),
                                              .recipient = row.text(3),
                                              .message_id = message_id(event_id, channel, from),
                                              .channel = channel});
}

}  // namespace

struct Notification::Recipient {
  std::string_view channel;
  const std::string& address;
};

Notification::Notification(kit::Database& database, Office office)
    : database_(database), office_(std::move(office)) {}

const kit::Manifest& Notification::declaration() {
  static const kit::Manifest kManifest{
      .service = "notification",
      .source = contract::kNotificationSource,
      .consumes = kit::event_types<contract::PaymentConfirmed,
                                   contract::PaymentRefunded,
                                   contract::SeatAssigned,
                                   contract::TicketIssued,
                                   contract::BookingCancelled,
                                   contract::BookingExpired>(),
      .emits = kit::event_types<contract::NotificationSent, contract::NotificationFailed>()};
  return kManifest;
}

Result<> Notification::migrate() {
  return database_.migrate("notification", kSteps);
}

/// What is about to be sent is stored before it is: only a message that is found so may have gone
/// out already without our knowing.
Result<Notification::Due> Notification::note(const EventView& event,
                                             const Letter& letter,
                                             const Recipient& recipient,
                                             const Time& now) {
  const std::string id = event.id.text();
  const auto known =
      database_.one("SELECT outcome FROM notifications WHERE event_id = ? AND channel = ?",
                    {id, recipient.channel});
  if (!known) return known.failure();
  if (*known && (*known)->text(0) != kSending) return Due::No;
  const auto unwanted =
      has_opted_out(database_, office_.opt_outs, recipient.address, recipient.channel);
  if (!unwanted) return unwanted.failure();
  if (*unwanted) return Due::No;
  if (*known) return Due::Again;
  const auto stored = database_.run("INSERT INTO notifications VALUES(?, ?, ?, ?, ?, ?, '', ?)",
                                    {id,
                                     recipient.channel,
                                     letter.trip.booking_id,
                                     letter.about,
                                     recipient.address,
                                     kSending,
                                     std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  return Due::First;
}

Result<kit::Decision> Notification::handle(const EventView& event, const Time& now) {
  const auto letter = read_letter(event);
  if (!letter) return letter.failure();
  const std::array<Recipient, 2> recipients{{{.channel = kEmail, .address = letter->trip.email},
                                             {.channel = kSms, .address = letter->trip.phone}}};
  Dispatch dispatch;
  for (const Recipient& recipient : recipients) {
    if (recipient.address.empty()) continue;
    const auto due = note(event, *letter, recipient, now);
    if (!due) return due.failure();
    if (*due == Due::No) continue;
    dispatch.items.push_back({.channel = std::string(recipient.channel),
                              .to = recipient.address,
                              .content = {},
                              .again = *due == Due::Again});
  }
  if (dispatch.items.empty()) {
    auto facts = facts_about(event);
    if (!facts) return facts.failure();
    return kit::Decision{.facts = std::move(*facts), .effect = std::nullopt};
  }
  const Words words = office_.templates.words_for(*letter);
  for (Item& item : dispatch.items) {
    item.content =
        item.channel == kSms ? words.sms : email_text(event, office_.from, item.to, words);
  }
  return kit::Decision{
      .facts = {},
      .effect = kit::Effect{
          .kind = "messages", .key = event.id.text(), .payload = contract::to_detail(dispatch)}};
}

Result<std::string> Notification::perform(const kit::Effect& effect) {
  const auto dispatch = contract::from_detail<Dispatch>(Value::trusted(effect.payload));
  if (!dispatch) return dispatch.failure();
  Report report;
  for (const Item& item : dispatch->items) {
    Carrier& carrier = item.channel == kSms ? office_.sms : office_.email;
    const auto delivered =
        carrier.deliver({.key = key_of(effect.key, item.channel),
                         .to = item.to,
                         .content = item.content,
                         .attempt = item.again ? Attempt::Again : Attempt::First});
    report.outcomes.push_back(outcome_of(item, delivered));
  }
  return contract::to_detail(report);
}

std::optional<Error> Notification::unfinished(const std::string& answer) const {
  const auto report = contract::from_detail<Report>(Value::trusted(answer));
  if (!report) return report.error();
  for (const Outcome& each : report->outcomes) {
    if (each.outcome != kSending) continue;
    return Error{
        .fault = Fault::Transient, .what = each.channel + ": " + each.reason, .code = each.code};
  }
  return std::nullopt;
}

Result<kit::Facts> Notification::complete(const EventView& event,
                                          const kit::Effect& /*effect*/,
                                          const Result<std::string>& answer,
                                          const Time& now) {
  if (!answer) return answer.failure();
  const auto report = contract::from_detail<Report>(Value::trusted(*answer));
  if (!report) return report.failure();
  const std::string id = event.id.text();
  for (const Outcome& each : report->outcomes) {
    const auto stored = database_.run(
        "UPDATE notifications SET outcome = ?, reason = ?, at = ?"
        " WHERE event_id = ? AND channel = ? AND outcome = 'sending'",
        {each.outcome,
         each.reason,
         std::int64_t{now.wall.time_since_epoch().count()},
         id,
         each.channel});
    if (!stored) return stored.failure();
  }
  return facts_about(event);
}

/// What is known of the event's messages, in the same order whenever it is asked.
Result<kit::Facts> Notification::facts_about(const EventView& event) {
  const std::string id = event.id.text();
  const auto rows = database_.all(
      "SELECT channel, booking_id, about, recipient, outcome, reason FROM notifications"
      " WHERE event_id = ? AND outcome != 'sending' ORDER BY channel",
      {id});
  if (!rows) return rows.failure();
  kit::Facts facts;
  for (const kit::Row& row : *rows) facts.push_back(fact_of(row, id, office_.from));
  return facts;
}

}  // namespace conga::notification
