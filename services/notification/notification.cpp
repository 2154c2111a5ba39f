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

/// `Ok` or the reason of the failure, as it is stored.
std::string outcome_of(const Result<std::string>& answer) {
  return answer ? "sent" : answer.error().what;
}

}  // namespace

Notification::Notification(kit::Database& database, Mailer& mailer, std::string from)
    : database_(database), mailer_(mailer), from_(std::move(from)) {}

Result<> Notification::migrate() {
  return database_.migrate("notification", kSteps);
}

Result<kit::Decision> Notification::handle(const EventView& event, const Time& /*now*/) {
  const auto letter = letter_for(event);
  if (!letter) return letter.failure();
  // The event's own time, so that a repeat makes the same message to the byte.
  const auto date = parse_rfc3339(event.time);
  const Message message{.from = from_,
                        .to = letter->recipient,
                        .subject = letter->subject,
                        .message_id = message_id(event),
                        .date = date ? *date : WallTime(),
                        .body = letter->body};
  return kit::Decision{
      .facts = {},
      .effect = kit::Effect{.kind = "mail", .key = event.id.text(), .payload = to_text(message)}};
}

Result<std::string> Notification::perform(const kit::Effect& effect) {
  const auto delivered = mailer_.deliver(effect.key, effect.payload);
  if (!delivered) return delivered.failure();
  return std::string();
}

Result<kit::Facts> Notification::complete(const EventView& event,
                                          const kit::Effect& /*effect*/,
                                          const Result<std::string>& answer,
                                          const Time& now) {
  const auto letter = letter_for(event);
  if (!letter) return letter.failure();
  const std::string about(event.detail_type);
  const auto stored = database_.run("INSERT OR IGNORE INTO notifications VALUES(?, ?, ?, ?, ?, ?)",
                                    {event.id.text(),
                                     letter->booking_id,
                                     about,
                                     letter->recipient,
                                     outcome_of(answer),
                                     std::int64_t{now.wall.time_since_epoch().count()}});
  if (!stored) return stored.failure();
  if (!answer) {
    return kit::Facts{kit::fact(contract::NotificationFailed{.booking_id = letter->booking_id,
                                                             .about = about,
                                                             .recipient = letter->recipient,
                                                             .reason = answer.error().what})};
  }
  return kit::Facts{kit::fact(contract::NotificationSent{.booking_id = letter->booking_id,
                                                         .about = about,
                                                         .recipient = letter->recipient,
                                                         .message_id = message_id(event)})};
}

}  // namespace conga::notification
