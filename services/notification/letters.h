// SPDX-License-Identifier: Apache-2.0
//
// Letters: what the events have to say to a customer, before it is put into words.

#pragma once

#include "common/core/result.h"
#include "common/wire/event/event.h"
#include "services/contract/events.h"
#include "services/notification/template.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::notification {

struct Letter {
  std::string about;  ///< The event's detail-type.
  contract::Trip trip;
  Fields fields;
  contract::Receipt receipt;  ///< If not empty: words that come with the event.
};

/// Permanent with code `UnexpectedEvent` for an event that has no letter, `InvalidDetail` for one
/// that cannot be read.
Result<Letter> read_letter(const EventView& event);

/// The fields that every letter has.
Fields known_fields();

/// The fields of each kind of letter, by the event's detail-type.
const std::vector<std::pair<std::string_view, Fields>>& known_letters();

/// `1250.00 EUR`, with as many decimals as the currency has.
std::string money(const contract::Money& amount, std::string_view decimal_mark);

}  // namespace conga::notification
