// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/archives.h"

#include "bus/sidecar/pseudo_targets.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

using std::chrono::seconds;

constexpr Duration kGather = seconds(1);        ///< From the first event to the copying of all.
constexpr Duration kTryAgain = seconds(10);     ///< An archive that could not be written.
constexpr std::size_t kBatch = 4096;            ///< Events copied in a turn, at most; …
constexpr std::size_t kBatchBytes = 4U << 20U;  ///< … and bytes, about.

}  // namespace

void Archives::set_table(std::vector<LinkArchive> archives) {
  table_.clear();
  for (auto& [name, shelf] : shelves_) shelf.wanted = false;
  for (LinkArchive& archive : archives) {
    Shelf& shelf = shelves_[archive.name];
    shelf.wanted = true;
    shelf.retention = archive.retention;
    table_.push_back(std::move(archive.name));
  }
}

void Archives::name(std::span<const std::uint32_t> positions,
                    std::vector<TargetName>& names) const {
  for (const std::uint32_t position : positions) {
    names.push_back({table_[position], std::string(kArchiveTarget)});
  }
}

void Archives::take(const Time& now,
                    std::span<const std::uint32_t> positions,
                    const EventRef& ref) {
  for (const std::uint32_t position : positions) {
    Shelf& shelf = shelves_[table_[position]];
    if (shelf.waiting.empty()) shelf.due = std::max(shelf.due, now.steady + kGather);
    shelf.waiting.push_back({ref, now.wall});
  }
}

void Archives::recover(const PendingDelivery& delivery) {
  shelves_[delivery.target.rule].waiting.push_back({delivery.event, delivery.ingested});
}

void Archives::pause(const Time& now, const std::string& name, Shelf& shelf, const Error& why) {
  shelf.fault = why.what;
  shelf.due = now.steady + kTryAgain;
  log_.complain(now, "archive", why.what, {{"archive", name}, {"waiting", shelf.waiting.size()}});
}

bool Archives::opened(const Time& now, const std::string& name, Shelf& shelf) {
  if (shelf.log) return true;
  if (now.steady < shelf.due) return false;
  auto log = open_ ? open_(name)
                   : Result<std::unique_ptr<ArchiveLog>>(
                       fail(Fault::Permanent, "this sidecar has no place for archives"));
  if (!log) {
    pause(now, name, shelf, log.error());
    return false;
  }
  shelf.log = std::move(*log);
  shelf.fault.clear();
  return true;
}

/// What can never be copied is passed over: the others must not wait for it.
Result<Archives::Copied> Archives::append(Shelf& shelf) {
  Copied copied;
  std::size_t bytes = 0;
  for (const auto& [event, ingested] : shelf.waiting) {
    const bool enough = copied.count == kBatch || bytes > kBatchBytes;
    if (enough || event.sequence >= durable_) return copied;
    // The log may have it already: its word to the journal was lost in a crash then.
    if (!shelf.log->has(event.sequence)) {
      const auto body = bodies_.read(event);
      const auto done = body ? shelf.log->append(event.sequence, ingested, *body) : Result<>();
      if (!done && done.error().fault == Fault::Transient) {
        copied.stop = done.error();
        return copied;
      }
      if (!done && done.error().code != "RecordTooLarge") return done.failure();
      if (!body) copied.refused[event.sequence] = body.error().code;
      if (!done) copied.refused[event.sequence] = done.error().code;
      if (body) bytes += body->size();
    }
    ++copied.count;
  }
  return copied;
}

Result<Archives::Copied> Archives::copy(const Time& now, const std::string& name, Shelf& shelf) {
  auto copied = append(shelf);
  if (!copied) return copied;
  if (auto synced = shelf.log->sync(); !synced) return synced.failure();
  if (copied->stop) pause(now, name, shelf, *copied->stop);
  return copied;
}

/// Tells the journal what the archive has durably, or will never have.
Result<> Archives::settle(const Time& now,
                          const std::string& name,
                          const Copied& copied,
                          Shelf& shelf,
                          EventStore& store) {
  for (std::size_t done = 0; done < copied.count; ++done) {
    const auto [event, ingested] = shelf.waiting.front();
    const auto refused = copied.refused.find(event.sequence);
    const bool well = refused == copied.refused.end();
    const auto recorded = store.append(SettledRecord{.sequence = event.sequence,
                                                     .target = {name, std::string(kArchiveTarget)},
                                                     .ending = Ending::Settled,
                                                     .attempts = 0,
                                                     .instance = {},
                                                     .first_attempt = ingested,
                                                     .last_attempt = ingested,
                                                     .at = now.wall,
                                                     .code = well ? "" : refused->second});
    if (!recorded) return recorded;
    shelf.waiting.pop_front();
    shelf.archived += well ? 1 : 0;
    if (well) continue;
    log_.complain(now,
                  "not-archived",
                  "an event could not be copied into an archive",
                  {{"archive", name}, {"sequence", event.sequence}, {"code", refused->second}});
  }
  return {};
}

Result<> Archives::record(const Time& now, EventStore& store) {
  for (auto& [name, shelf] : shelves_) {
    if (!opened(now, name, shelf) || shelf.waiting.empty() || now.steady < shelf.due) continue;
    shelf.fault.clear();
    shelf.due = now.steady;
    const auto copied = copy(now, name, shelf);
    if (!copied) return copied.failure();
    if (auto settled = settle(now, name, *copied, shelf, store); !settled) return settled;
  }
  std::erase_if(shelves_, [](const auto& entry) {
    return !entry.second.wanted && entry.second.waiting.empty();
  });
  return {};
}

Result<> Archives::maintain(const Time& now) {
  for (auto& [name, shelf] : shelves_) {
    if (!shelf.log || !shelf.wanted) continue;
    auto maintained = shelf.log->maintain(now.wall, shelf.retention);
    if (!maintained) return maintained;
  }
  return {};
}

std::optional<SteadyTime> Archives::wake_at() const {
  std::optional<SteadyTime> wake;
  for (const auto& [name, shelf] : shelves_) {
    if (!shelf.waiting.empty() || !shelf.log) wake = wake ? std::min(*wake, shelf.due) : shelf.due;
  }
  return wake;
}

std::vector<ArchiveState> Archives::states() const {
  std::vector<ArchiveState> states;
  for (const auto& [name, shelf] : shelves_) {
    states.push_back({.name = name,
                      .archived = shelf.archived,
                      .waiting = shelf.waiting.size(),
                      .bytes = shelf.log ? shelf.log->bytes() : 0,
                      .fault = shelf.fault});
  }
  return states;
}

}  // namespace conga::bus
