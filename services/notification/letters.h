// SPDX-License-Identifier: Apache-2.0
//
// Letters: what each event has to say to the customer.

#pragma once

#include "common/core/result.h"
#include "common/wire/event/event.h"

#include <string>

namespace conga::notification {

struct Letter {
  std::string booking_id;
  std::string recipient;
  std::string subject;
  std::string body;
};

/// Permanent with code `UnexpectedEvent` for an event that has no letter, `InvalidDetail` for one
/// that cannot be read.
Result<Letter> letter_for(const EventView& event);

}  // namespace conga::notification
