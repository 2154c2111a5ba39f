// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar.h"

#include "bus/sidecar/file_archive.h"
#include "bus/sidecar/file_journal.h"
#include "bus/sidecar/sqlite_dead_letters.h"
#include "bus/sidecar/trace_index.h"

#include <string_view>
#include <utility>

namespace conga::bus {
namespace {

std::string_view name_of(LogDamage::Kind kind) {
  if (kind == LogDamage::Kind::Torn) return "an unfinished write was cut off";
  if (kind == LogDamage::Kind::Mendable) return "damage was mended, nothing is lost";
  return "damage was skipped, records are lost";
}

/// An unfinished write is what a crash leaves; all else is news.
void tell(const LogDamage& damage, Log& log) {
  const auto fields = {LogField("segment", damage.position.segment),
                       LogField("offset", damage.position.offset),
                       LogField("bytes", damage.length)};
  if (damage.kind == LogDamage::Kind::Torn) {
    log.info(name_of(damage.kind), fields);
  } else {
    log.warning(name_of(damage.kind), fields);
  }
}

Result<std::unique_ptr<EventStore>> open_journal(const SidecarConfig& config,
                                                 Files& files,
                                                 const Time& now,
                                                 RecoveryVisitor& visitor,
                                                 Log& log) {
  FileJournalOptions options = config.journal;
  options.read_ahead = true;
  auto journal = FileJournal::open(files, std::move(options), now.wall, visitor);
  if (!journal) return journal.failure();
  for (const LogDamage& damage : (*journal)->damage()) tell(damage, log);
  return std::unique_ptr<EventStore>(std::move(*journal));
}

}  // namespace

Result<SidecarThreads> start_threads(SidecarConfig& config) {
  auto committer = DiskThread::start();
  if (!committer) return committer.failure();
  auto filler = DiskThread::start();
  if (!filler) return filler.failure();
  config.journal.committer = committer->get();
  config.journal.filler = filler->get();
  return SidecarThreads{std::move(*committer), std::move(*filler)};
}

Result<std::unique_ptr<SidecarNode>> open_sidecar(
    const SidecarConfig& config, Files& files, const Time& now, Random& random, Log& log) {
  const std::string& directory = config.journal.directory;
  SidecarStores stores;
  stores.open_events = [&](RecoveryVisitor& visitor) {
    return open_journal(config, files, now, visitor, log);
  };
  stores.open_dead_letters = [&]() -> Result<std::unique_ptr<DeadLetters>> {
    auto letters = SqliteDeadLetters::open(directory + "/dead-letters.db");
    if (!letters) return letters.failure();
    return std::unique_ptr<DeadLetters>(std::move(*letters));
  };
  stores.open_paused = [&] { return PausedTargets::open(files, directory); };
  stores.open_started = [&] { return StartedTargets::open(files, directory); };
  stores.open_audit = [&] { return AuditLog::open(directory + "/audit.db"); };
  stores.open_traces = [&]() -> Result<std::unique_ptr<TraceSource>> {
    auto index = TraceIndex::open(directory + "/trace-index.db");
    if (!index) return index.failure();
    return std::unique_ptr<TraceSource>(std::move(*index));
  };
  stores.open_archive = [&files,
                         folder = directory + "/" + std::string(kArchivesFolder),
                         size = config.archive_segment_size](
                            const std::string& name) -> Result<std::unique_ptr<ArchiveLog>> {
    if (auto made = files.make_directory(folder); !made) return made.failure();
    auto archive = FileArchive::open(files, folder + "/" + name, size);
    if (!archive) return archive.failure();
    return std::unique_ptr<ArchiveLog>(std::move(*archive));
  };
  return SidecarNode::open(now, config.sidecar, stores, random, log);
}

}  // namespace conga::bus
