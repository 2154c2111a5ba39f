// SPDX-License-Identifier: Apache-2.0
//
// Notification: tells the customer by e-mail and SMS how the booking goes, one message per event,
// recipient and channel, however often the event is delivered.
//
//   PaymentConfirmed, SeatAssigned, TicketIssued, BookingCancelled, BookingExpired, PaymentRefunded
//       ->  for each channel: NotificationSent | NotificationFailed

#pragma once

#include "services/contract/events.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "services/notification/carrier.h"
#include "services/notification/opt_outs.h"
#include "services/notification/templates.h"

#include <optional>
#include <string>
#include <vector>

namespace conga::notification {

/// What the service works with; all of it outlives the service.
struct Office {
  const Templates& templates;
  Carrier& email;
  Carrier& sms;
  std::string from;  ///< The sender's mail address.
  std::vector<OptOut> opt_outs = {};
};

class Notification final : public kit::Handlers {
public:
  /// `database` must outlive the object.
  Notification(kit::Database& database, Office office);

  static const kit::Manifest& declaration();

  const kit::Manifest& manifest() const override { return declaration(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

  /// Delivers what one event has to say, on every channel. A channel that is out of order does not
  /// hold up the other one.
  Result<std::string> perform(const kit::Effect& effect) override;

  Result<kit::Facts> complete(const EventView& event,
                              const kit::Effect& effect,
                              const Result<std::string>& answer,
                              const Time& now) override;

  std::optional<Error> unfinished(const std::string& answer) const override;

private:
  struct Recipient;

  enum class Due { No, First, Again };

  Result<Due> note(const EventView& event,
                   const Letter& letter,
                   const Recipient& recipient,
                   const Time& now);
  Result<kit::Facts> facts_about(const EventView& event);

  kit::Database& database_;
  Office office_;
};

}  // namespace conga::notification
