// SPDX-License-Identifier: Apache-2.0
//
// Ordering: the key by which a target wants its deliveries one after another.

#pragma once

#include "bus/sidecar/target_queue.h"
#include "common/wire/event/value.h"

#include <string_view>

namespace conga::bus {

/// The hash of the value at `pointer` (a JSON pointer, RFC 6901) in `event`; kNoKey if there is no
/// such value or it is null. Equal values have equal keys: integers however they are encoded.
OrderingKey ordering_key(const Value& event, std::string_view pointer);

}  // namespace conga::bus
