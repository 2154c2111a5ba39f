// SPDX-License-Identifier: Apache-2.0
//
// Events as people write them: JSON in which id and time may be missing, to the bytes that go on
// the wire; and back, for a terminal.

#pragma once

#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/result.h"
#include "common/wire/event/event.h"

#include <string>
#include <string_view>

namespace conga::cli {

struct CompleteEvent {
  Uuid id;
  std::string bytes;
};

/// The event that `json` says, with an id and the time `now` if it has none; every other field
/// stays as it is, those that conga does not know included. Refused as read_event() does.
Result<CompleteEvent> complete_event(std::string_view json, UuidFactory& ids, WallTime now);

/// One event on a heading line, its detail indented below.
std::string pretty_event(const EventView& event, const Look& look);

/// Each line of `text` made printable and indented by `indent` blanks.
std::string indented(std::string_view text, std::size_t indent);

}  // namespace conga::cli
