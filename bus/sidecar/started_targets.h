// SPDX-License-Identifier: Apache-2.0
//
// StartedTargets: which targets the sidecar has met, and how far those have come that begin in the
// past, kept over restarts in a small file. It is replaced as a whole, so a crash leaves the old
// one or the new one.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/io/files.h"

#include <map>
#include <memory>
#include <string>

namespace conga::bus {

/// How a target began.
struct Start {
  Sequence until = 0;      ///< From this event on it was routed to; 0: it wanted nothing older.
  Sequence caught_up = 0;  ///< The first event after the last that it was owed late; 0: not yet.
  WallTime since;          ///< While it catches up: events ingested before that are not for it.
  std::string cursor;      ///< So, of EventStore::follow(): what is before it, it is owed already.

  bool catches_up() const { return until != 0 && caught_up == 0; }

  friend bool operator==(const Start&, const Start&) = default;
};

using StartsByTarget = std::map<TargetName, Start>;

class StartedTargets {
public:
  /// Reads `DIRECTORY/started-targets`, if there is one. Corrupt if it holds anything else. `files`
  /// must outlive it.
  static Result<std::unique_ptr<StartedTargets>> open(Files& files, const std::string& directory);

  const StartsByTarget& targets() const { return targets_; }

  /// Replaces all of it, durably. Failed: nothing has changed.
  Result<> save(StartsByTarget targets);

private:
  StartedTargets(Files& files, const std::string& directory);

  Result<> read();

  Files& files_;
  const std::string path_;
  StartsByTarget targets_;
};

}  // namespace conga::bus
