// SPDX-License-Identifier: Apache-2.0
//
// Letter facts: what is said of a dead letter wherever it is told, to operators and on the bus.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "common/core/clock.h"
#include "common/wire/event/packer.h"

#include <cstddef>
#include <optional>

namespace conga::bus {

/// How many members pack_letter_facts() writes: number, rule, target, service, event-id, source,
/// detail-type, correlation-id, error-code, error-message, exhausted-retry-condition,
/// retry-attempts, first-attempt, last-attempt.
inline constexpr std::size_t kLetterFacts = 14;

void pack_letter_facts(Packer& packer, const DeadLetter& letter);

/// RFC 3339, or null.
void pack_time(Packer& packer, const std::optional<WallTime>& time);

}  // namespace conga::bus
