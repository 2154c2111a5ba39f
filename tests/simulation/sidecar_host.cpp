// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/sidecar_host.h"

#include "bus/sidecar/file_archive.h"
#include "bus/sidecar/sidecar_node.h"
#include "bus/sidecar/sqlite_dead_letters.h"
#include "common/core/check.h"
#include "tests/simulation/bit_flip.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <utility>

namespace conga::simulation {
namespace {

using testing::Death;

constexpr const char* kJournal = "/journal";

bus::FileJournalOptions journal_options() {
  bus::FileJournalOptions options;
  options.directory = kJournal;
  options.segment_size = 16 * 1024;  // many segments, soon full
  options.hold_back = 4 * 1024;
  return options;
}

Result<std::unique_ptr<bus::DeadLetters>> open_dead_letters(const bus::DatabaseHandle& database) {
  auto opened = bus::SqliteDeadLetters::open(database);
  if (!opened) return opened.failure();
  return std::unique_ptr<bus::DeadLetters>(std::move(*opened));
}

/// Who only wants to read the journal.
class Nobody final : public bus::RecoveryVisitor {
  void on_recent_event(std::string_view /*event*/, WallTime /*ingested*/) override {}

  void on_pending(const bus::PendingDelivery& /*delivery*/) override {}
};

/// Hands over what a mutant remembers.
class ForgettingVisitor final : public bus::RecoveryVisitor {
public:
  ForgettingVisitor(bus::RecoveryVisitor& inner, const Mutation& mutant)
      : inner_(inner), mutant_(mutant) {}

  void on_recent_event(std::string_view event_bytes, WallTime ingested) override {
    if (!mutant_.forgets_ids) inner_.on_recent_event(event_bytes, ingested);
  }

  void on_pending(const bus::PendingDelivery& delivery) override {
    if (!mutant_.recovers || mutant_.recovers(delivery)) inner_.on_pending(delivery);
  }

private:
  bus::RecoveryVisitor& inner_;
  const Mutation& mutant_;
};

}  // namespace

SidecarHost::SidecarHost(Mutation mutant) : mutant_(std::move(mutant)) {
  auto letters = bus::open_database(":memory:", bus::DatabaseSync::Full);
  CONGA_CHECK(letters.has_value(), "a database in memory opens");
  letters_ = std::move(*letters);
}

Result<std::unique_ptr<bus::EventStore>> SidecarHost::open_journal(
    WallTime now, const bus::FileJournalOptions& options, bus::RecoveryVisitor& visitor) {
  ForgettingVisitor forgetting(visitor, mutant_);
  OwedVisitor watched(forgetting, watch_);
  auto journal = bus::FileJournal::open(disk_, options, now, watched);
  if (!journal) return journal.failure();
  std::unique_ptr<bus::EventStore> store = std::move(*journal);
  if (mutant_.store) store = mutant_.store(std::move(store));
  return std::unique_ptr<bus::EventStore>(std::make_unique<OwedStore>(std::move(store), watch_));
}

Result<std::unique_ptr<bus::EventStore>> SidecarHost::open_journal(WallTime now) {
  Nobody nobody;
  return open_journal(now, journal_options(), nobody);
}

std::unique_ptr<bus::DeadLetters> SidecarHost::open_letters() {
  auto letters = open_dead_letters(letters_);
  CONGA_CHECK(letters.has_value(), "the dead letters open");
  return std::move(*letters);
}

bool SidecarHost::all_announced() const {
  // Not through SqliteDeadLetters: opening that rolls back what the sidecar has begun.
  constexpr const char* kOwed = "SELECT COUNT(*) FROM dead_letters WHERE announced = 0";
  return letters_->execAndGet(kOwed).getInt() == 0;
}

bool SidecarHost::has_started(const bus::TargetName& target) const {
  const auto started = bus::StartedTargets::open(disk_, kJournal);
  if (!started) return false;
  const auto found = (*started)->targets().find(target);
  return found != (*started)->targets().end() && !found->second.catches_up();
}

void SidecarHost::check_flip(const Time& now, Random& random) {
  const auto flip = choose_flip(disk_, kJournal, random);
  if (!flip) return;
  flip->apply(disk_);
  Nobody nobody;
  const auto opened = bus::FileJournal::open(disk_, journal_options(), now.wall, nobody);
  if (opened || opened.error().code != "DamagedJournal") {
    violations_.push_back("a flipped bit was not noticed: " + flip->path + " at "
                          + std::to_string(flip->offset));
  }
  flip->apply(disk_);
}

Result<std::unique_ptr<Node>> SidecarHost::start(const Time& now, Random& random, Log& log) {
  if (std::exchange(flips_, false)) check_flip(now, random);
  committer_ = std::make_unique<testing::LateWorker>(random);
  filler_ = std::make_unique<testing::LateWorker>(random);
  bus::SidecarStores stores;
  stores.open_events = [&](bus::RecoveryVisitor& visitor) {
    bus::FileJournalOptions options = journal_options();
    options.committer = committer_.get();
    options.filler = filler_.get();
    options.hand_over_size = 1;
    return open_journal(now.wall, options, visitor);
  };
  stores.open_dead_letters = [this]() -> Result<std::unique_ptr<bus::DeadLetters>> {
    auto letters = open_dead_letters(letters_);
    if (letters && mutant_.letters) return mutant_.letters(std::move(*letters));
    return letters;
  };
  stores.open_archive =
      [this](const std::string& name) -> Result<std::unique_ptr<bus::ArchiveLog>> {
    constexpr std::uint32_t kSegment = 16 * 1024;
    auto archive = bus::FileArchive::open(disk_, archive_directory(name), kSegment);
    if (!archive) return archive.failure();
    std::unique_ptr<bus::ArchiveLog> kept = std::move(*archive);
    if (mutant_.archive) kept = mutant_.archive(std::move(kept));
    return kept;
  };
  stores.open_started = [this] { return bus::StartedTargets::open(disk_, kJournal); };
  bus::SidecarOptions options;
  options.engine.heartbeat_timeout = kHeartbeatTimeout;
  options.catch_up_size = 1;  // as many pieces as there can be: much comes in between
  auto node = bus::SidecarNode::open(now, options, stores, random, log);
  if (!node) return node.failure();
  std::unique_ptr<Node> sidecar = std::move(*node);
  if (mutant_.sidecar) sidecar = mutant_.sidecar(std::move(sidecar));
  return sidecar;
}

void SidecarHost::on_death(Death death, Random& random) {
  watch_.dies_at_sync = watch_.dies_after_sync = false;
  if (death == Death::Kill) return disk_.kill();
  random.chance(0.5) ? disk_.crash(random) : disk_.crash(random.below(4096));
}

testing::Crash any_crash(Random& random) {
  return {.point = static_cast<testing::CrashPoint>(random.below(3)),
          .death = random.chance(0.5) ? Death::Kill : Death::PowerLoss,
          .down = Duration(random.below(1'500'000))};
}

}  // namespace conga::simulation
