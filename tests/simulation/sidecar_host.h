// SPDX-License-Identifier: Apache-2.0
//
// SidecarHost: the machine of a simulated sidecar: its disk with the journal, its dead letters, and
// the watch over both, which outlive the sidecar's deaths.

#pragma once

#include "bus/sidecar/database.h"
#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/file_journal.h"
#include "common/core/random.h"
#include "common/log/log.h"
#include "tests/simulation/delivery_mutants.h"
#include "tests/simulation/owed_store.h"
#include "tests/support/late_worker.h"
#include "tests/support/mem_files.h"
#include "tests/support/world.h"

#include <memory>
#include <string>
#include <vector>

namespace conga::simulation {

inline constexpr Duration kHeartbeatTimeout = std::chrono::seconds(3);

class SidecarHost {
public:
  SidecarHost() : SidecarHost(Mutation{}) {}

  /// With a rule broken.
  explicit SidecarHost(Mutation mutant);

  testing::MemFiles& disk() { return disk_; }

  StoreWatch& watch() { return watch_; }

  const StoreWatch& watch() const { return watch_; }

  /// The sidecar's Node, from what survived. `random` and `log` must outlive it.
  Result<std::unique_ptr<Node>> start(const Time& now, Random& random, Log& log);

  /// At the next start a bit of the journal has flipped. The sidecar must refuse it, and it is put
  /// right, as from a copy.
  void flip_at_next_start() { flips_ = true; }

  /// What of that did not hold.
  const std::vector<std::string>& violations() const { return violations_; }

  /// What the disk has to look like after such a death.
  void on_death(testing::Death death, Random& random);

  /// The journal as it lies there, for checks at the end.
  Result<std::unique_ptr<bus::EventStore>> open_journal(WallTime now);

  std::unique_ptr<bus::DeadLetters> open_letters();

  /// Where the archive of this name is on the disk.
  static std::string archive_directory(const std::string& name) { return "/archive-" + name; }

  /// Nothing of the journal's past is still to be looked at for the target.
  bool has_started(const bus::TargetName& target) const;

  /// No dead letter's event is still to be put on the bus. The sidecar has been started once.
  bool all_announced() const;

private:
  Result<std::unique_ptr<bus::EventStore>> open_journal(WallTime now,
                                                        const bus::FileJournalOptions& options,
                                                        bus::RecoveryVisitor& visitor);

  void check_flip(const Time& now, Random& random);

  const Mutation mutant_;
  std::unique_ptr<testing::LateWorker> committer_;  ///< Of the sidecar that lives; so the next.
  std::unique_ptr<testing::LateWorker> filler_;
  mutable testing::MemFiles disk_;
  StoreWatch watch_;
  bus::DatabaseHandle letters_;
  bool flips_ = false;
  std::vector<std::string> violations_;
};

/// Of any daemon, in any way.
testing::Crash any_crash(Random& random);

}  // namespace conga::simulation
