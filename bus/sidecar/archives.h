// SPDX-License-Identifier: Apache-2.0
//
// Archives: copies events into the archives that the rules name for them (`archives`). A copy is
// owed in the journal like a delivery until the archive has it durably, so that no crash leaves a
// gap, and it is made a moment later in batches, so that archives cost no delivery its time.

#pragma once

#include "bus/sidecar/archive_log.h"
#include "bus/sidecar/event_bodies.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/link.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/log/log.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace conga::bus {

struct ArchiveState {
  std::string name;
  std::uint64_t archived = 0;  ///< In this run of the sidecar.
  std::uint64_t waiting = 0;   ///< To be copied.
  std::uint64_t bytes = 0;     ///< On disk.
  std::string fault;           ///< Why nothing is copied now; empty: it is.
};

class Archives {
public:
  /// `bodies` and `log` must outlive it. Without `open` copies stay owed.
  Archives(EventBodies& bodies, OpenArchive open, Log& log)
      : bodies_(bodies), open_(std::move(open)), log_(log) {}

  /// Rules were loaded: their archives. What others are still owed they get.
  void set_table(std::vector<LinkArchive> archives);

  /// How many archives the table has.
  std::size_t size() const { return table_.size(); }

  /// Adds to `names` what the journal is to owe for an event that is for the archives at these
  /// `positions` of the table.
  void name(std::span<const std::uint32_t> positions, std::vector<TargetName>& names) const;

  /// The event at `ref`, with what name() named, has been appended to the journal.
  void take(const Time& now, std::span<const std::uint32_t> positions, const EventRef& ref);

  /// The journal has everything before `next` durably. What comes later is not copied yet: in a
  /// crash another event could get its number.
  void set_durable(Sequence next) { durable_ = next; }

  /// From the journal, in sequence order.
  void recover(const PendingDelivery& delivery);

  /// Copies what is due and appends to the journal that it is done. An archive that cannot be
  /// opened or has no room is told of and tried again. An error is fatal: what an archive appended
  /// may be lost, as with the journal.
  Result<> record(const Time& now, EventStore& store);

  /// Retention; a bounded amount of work. An error is fatal.
  Result<> maintain(const Time& now);

  std::optional<SteadyTime> wake_at() const;

  std::vector<ArchiveState> states() const;

private:
  struct Waiting {
    EventRef event;
    WallTime ingested;
  };

  struct Shelf {
    ArchiveRetention retention;
    bool wanted = false;  ///< By the rules.
    std::unique_ptr<ArchiveLog> log;
    std::deque<Waiting> waiting;
    SteadyTime due;  ///< When to copy, or to open it, next.
    std::uint64_t archived = 0;
    std::string fault;
  };

  /// What a batch of copies came to.
  struct Copied {
    std::size_t count = 0;                    ///< Of the first that are waiting: done.
    std::map<Sequence, std::string> refused;  ///< Those that can never be copied, and the code.
    std::optional<Error> stop;                ///< Why it went no further: no room.
  };

  bool opened(const Time& now, const std::string& name, Shelf& shelf);
  void pause(const Time& now, const std::string& name, Shelf& shelf, const Error& why);
  Result<Copied> append(Shelf& shelf);
  Result<Copied> copy(const Time& now, const std::string& name, Shelf& shelf);
  Result<> settle(const Time& now,
                  const std::string& name,
                  const Copied& copied,
                  Shelf& shelf,
                  EventStore& store);

  EventBodies& bodies_;
  OpenArchive open_;
  Log& log_;
  Sequence durable_ = 0;
  std::vector<std::string> table_;
  std::map<std::string, Shelf> shelves_;
};

}  // namespace conga::bus
