// SPDX-License-Identifier: Apache-2.0
//
// Notification: tells the customer by e-mail how the booking goes, one message per event however
// often it is delivered.
//
//   PaymentConfirmed, SeatAssigned, TicketIssued, BookingCancelled, PaymentRefunded
//       ->  NotificationSent | NotificationFailed

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/notification/mailer.h"
#include "services/notification/message.h"

#include <optional>
#include <string>

namespace conga::notification {

class Notification final : public kit::Handlers {
public:
  /// `from`: the sender's address. `database` and `mailer` must outlive the object.
  Notification(kit::Database& database, Mailer& mailer, std::string from);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;
  Result<std::string> perform(const kit::Effect& effect) override;
  Result<kit::Facts> complete(const EventView& event,
                              const kit::Effect& effect,
                              const Result<std::string>& answer,
                              const Time& now) override;

private:
  kit::Database& database_;
  Mailer& mailer_;
  std::string from_;
};

}  // namespace conga::notification
