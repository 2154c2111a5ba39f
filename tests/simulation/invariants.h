// SPDX-License-Identifier: Apache-2.0
//
// The invariants at the end of a run, read from what the daemons left on their disks.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/event_store.h"
#include "services/kit/database.h"
#include "tests/simulation/booking_system.h"
#include "tests/simulation/customers.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace conga::simulation {

struct Books {
  kit::Database& booking;
  kit::Database& payment;
  kit::Database& acquirer;
  kit::Database& seating;
  kit::Database& ticketing;
  kit::Database& notification;
  bool clock_jumped = false;  ///< Then a booking may expire that did not take too long.
};

/// Every booking as it must be: money, seats, tickets. Adds to `report`.
void check_bookings(const Books& books, const std::vector<Request>& requests, Report& report);

using Deliveries = std::set<std::pair<bus::Sequence, bus::TargetName>>;

/// Every acknowledged event is in the journal, and each of its deliveries ended. `unrecorded`:
/// those that ended and found no room for their last word.
void check_journal(bus::EventStore& store,
                   const std::set<std::string>& acknowledged,
                   const Deliveries& unrecorded,
                   Report& report);

/// Nothing is a dead letter but poison, and that with its reason.
void check_dead_letters(bus::DeadLetters& letters,
                        const std::vector<Request>& requests,
                        Report& report);

}  // namespace conga::simulation
