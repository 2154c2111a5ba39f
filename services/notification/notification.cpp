// SPDX-License-Identifier: Apache-2.0

#include "services/notification/notification.h"

#include "services/notification/letters.h"

#include <array>
#include <utility>

namespace conga::notification {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE notifications(event_id TEXT PRIMARY KEY, booking_id TEXT NOT NULL,"
    " about TEXT NOT NULL, recipient TEXT NOT NULL, outcome TEXT NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"};

std::string message_id(const EventView& event) {
  return "<" + event.id.text() + "@conga.invalid>";
}

constexpr std::string_view kSending = "sending";  ///< Whether it went out is not known.
constexpr std::string_view kSent = "sent";
constexpr std::string_view kFirst = "mail";
constexpr std::string_view kAgain = "mail-again";

/// `outcome`: as stored, kSent or the reason of the failure.
kit::Facts facts_of(const EventView& event, const Letter& letter, const std::string& outcome) {
  const std::string about(event.detail_type);
  if (outcome == kSent) {
    return {kit::fact(contract::NotificationSent{.booking_id = letter.booking_id,
                                                 .about = about,
                                                 .recipient = letter.recipient,
                                                 .message_id = message_id(event)})};
  }
  return {kit::fact(contract::NotificationFailed{.booking_id = letter.booking_id,
                                                 .about = about,
                                                 .recipient = letter.recipient,
                                                 .reason = outcome})};
}

kit::Effect mail(const EventView& event,
                 const Letter& letter,
                 const std::string& from,
                 std::string_view kind) {
  // The event's own time, so that a repeat makes the same message to the byte.
  const auto date = parse_rfc3339(event.time);
  const Message message{.from = from,
                        .to = letter.recipient,
                        .subject = letter.subject,
                        .message_id = message_id(event),
                        .date = date ? *date : WallTime(),
                        .body = letter.body};
  return {.kind = std::string(kind), .key = event.id.text(), .payload = to_text(message)};
}

}  // namespace

Notification::Notification(kit::Database& database, Mailer& mailer, std::string from)
    : database_(database), mailer_(mailer), from_(std::move(from)) {}

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
Result<kit::Decision> Notification::handle(const EventView& event, const Time& now) {
  const auto letter = letter_for(event);
  if (!letter) return letter.failure();
  const std::string id = event.id.text();
  const auto known = database_.one("SELECT outcome FROM notifications WHERE event_id = ?", {id});
  if (!known) return known.failure();
  if (*known) {
    const std::string& outcome = (*known)->text(0);
    if (outcome == kSending) {
      return kit::Decision{.facts = {}, .effect = mail(event, *letter, from_, kAgain)};
    }
    return kit::Decision{.facts = facts_of(event, *letter, outcome), .effect = std::nullopt};
  }
  const auto stored = database_.run("INSERT INTO notifications VALUES(?, ?, ?, ?, ?, ?)",
                                    {id,
                                     letter->booking_id,
                                     std::string(event.detail_type),
                                     letter->recipient,
                                     std::string(kSending),
                                     std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  return kit::Decision{.facts = {}, .effect = mail(event, *letter, from_, kFirst)};
}

Result<std::string> Notification::perform(const kit::Effect& effect) {
  const Attempt attempt = effect.kind == kAgain ? Attempt::Again : Attempt::First;
  const auto delivered = mailer_.deliver(effect.key, effect.payload, attempt);
  if (!delivered) return delivered.failure();
  return std::string();
}

Result<kit::Facts> Notification::complete(const EventView& event,
                                          const kit::Effect& /*effect*/,
                                          const Result<std::string>& answer,
                                          const Time& now) {
  const auto letter = letter_for(event);
  if (!letter) return letter.failure();
  const std::string outcome = answer ? std::string(kSent) : answer.error().what;
  const auto stored =
      database_.run("UPDATE notifications SET outcome = ?, at = ? WHERE event_id = ?",
                    {outcome, std::int64_t{now.wall.time_since_epoch().count()}, event.id.text()});
  if (!stored) return stored.failure();
  return facts_of(event, *letter, outcome);
}

}  // namespace conga::notification
