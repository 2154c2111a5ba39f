// SPDX-License-Identifier: Apache-2.0
//
// Timers: what a service wants to be reminded of, kept in the same transaction as the state that
// wants it, so that a reminder survives restarts and fires once for all instances on one database.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "services/kit/database.h"
#include "services/kit/fact.h"
#include "services/kit/handlers.h"

#include <optional>
#include <string>
#include <vector>

namespace conga::kit {

class Timers {
public:
  struct Due {
    std::string name;
    Cause cause;  ///< Of the facts that follow: the event that set the timer.
  };

  /// `database` must outlive the timers.
  explicit Timers(Database& database) : database_(database) {}

  Result<> migrate();

  /// Sets the timer anew if its name is known; without a `due` it is cancelled.
  Result<> change(const TimerChange& change, const Cause& cause);

  /// Takes away the timers that are due at `now`, at most `limit`, the earliest first.
  Result<std::vector<Due>> take(WallTime now, std::size_t limit);

  /// When the next timer is due; nothing: there is none.
  Result<std::optional<WallTime>> next();

private:
  Database& database_;
};

}  // namespace conga::kit
