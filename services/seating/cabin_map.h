// SPDX-License-Identifier: Apache-2.0
//
// The cabin of a flight as people read it: who sits where is not told, only what is taken.

#pragma once

#include "services/seating/cabin.h"
#include "services/seating/seat_choice.h"

#include <string>

namespace conga::seating {

/// `heading` above it: `LH123 on 2026-12-01`. Lines end with \n.
std::string cabin_map(const std::string& heading, const Cabin& cabin, const SeatNames& taken);

}  // namespace conga::seating
