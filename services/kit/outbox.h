// SPDX-License-Identifier: Apache-2.0
//
// Outbox: the events that this service has to put, kept in the same transaction as the state they
// tell of, until the bus has answered ok. What the bus refuses for good is kept aside with the
// reason, for people.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/wire/event/event.h"
#include "common/wire/messages.h"
#include "services/kit/database.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace conga::kit {

class Outbox {
public:
  struct Entry {
    std::int64_t number = 0;  ///< Ascending.
    Uuid id;
    std::string event;
  };

  /// `owner`: this instance. It puts what it has added itself; what another one leaves behind, it
  /// adopts. `database` must outlive the outbox.
  Outbox(Database& database, std::string owner) : database_(database), owner_(std::move(owner)) {}

  Result<> migrate();

  /// An event that is there already is left as it is: the same work done twice.
  Result<> add(const Event& event, WallTime now);

  /// At most `limit` entries of this owner behind `number`, in order.
  Result<std::vector<Entry>> after(std::int64_t number, std::size_t limit);

  /// Makes entries that others have added before `horizon`, at most `limit`, this owner's, and
  /// returns them: their instance has died, or has a bus that does not answer. If both put one, its
  /// id is the same. What comes from the future counts as old: the clock was put back.
  Result<std::vector<Entry>> adopt(WallTime horizon, WallTime now, std::size_t limit);

  /// What the bus said: ok forgets the entry, a refusal moves it to `outbox_refused`.
  Result<> settle(const PutResult& result, WallTime now);

  Result<bool> is_empty();

private:
  Database& database_;
  std::string owner_;
};

}  // namespace conga::kit
