// SPDX-License-Identifier: Apache-2.0
//
// Inbox: the ids of events that this service has dealt with, kept in the same transaction as what
// it did, so that a repeat is recognised however the first time ended.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/result.h"
#include "services/kit/database.h"

namespace conga::kit {

class Inbox {
public:
  /// `database` must outlive the inbox.
  explicit Inbox(Database& database) : database_(database) {}

  Result<> migrate();
  Result<bool> contains(const Uuid& event);
  Result<> add(const Uuid& event, WallTime now);

  /// Forgets what was dealt with before `horizon`: no repeat comes later than a delivery's max-age.
  Result<> prune(WallTime horizon);

private:
  Database& database_;
};

}  // namespace conga::kit
