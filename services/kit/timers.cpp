// SPDX-License-Identifier: Apache-2.0

#include "services/kit/timers.h"

#include <array>
#include <string_view>

namespace conga::kit {
namespace {

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE timers(name TEXT PRIMARY KEY, due INTEGER NOT NULL, cause_id TEXT NOT NULL,"
    " correlation_id TEXT NOT NULL, traceparent TEXT NOT NULL, key TEXT NOT NULL,"
    " hops INTEGER NOT NULL) STRICT;"
    "CREATE INDEX timers_by_due ON timers(due);",
    "ALTER TABLE timers ADD COLUMN replay_name TEXT NOT NULL DEFAULT '';"};

Result<> done(const Result<int>& ran) {
  return ran ? Result<>() : ran.failure();
}

std::int64_t stored(WallTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

Result<> Timers::migrate() {
  return database_.migrate("timers", kSteps);
}

Result<> Timers::change(const TimerChange& change, const Cause& cause) {
  if (!change.due) return done(database_.run("DELETE FROM timers WHERE name = ?", {change.name}));
  return done(database_.run("INSERT OR REPLACE INTO timers VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                            {change.name,
                             stored(*change.due),
                             cause.id.text(),
                             cause.correlation_id,
                             cause.traceparent,
                             cause.key,
                             std::int64_t{cause.hops},
                             cause.replay_name}));
}

Result<std::vector<Timers::Due>> Timers::take(WallTime now, std::size_t limit) {
  const auto rows = database_.all(
      "SELECT name, cause_id, correlation_id, traceparent, key, hops, replay_name FROM timers"
      " WHERE due <= ? ORDER BY due, name LIMIT ?",
      {stored(now), static_cast<std::int64_t>(limit)});
  if (!rows) return rows.failure();
  std::vector<Due> due;
  for (const Row& row : *rows) {
    const auto id = Uuid::parse(row.text(1));
    if (!id) return fail(Fault::Corrupt, "the timers hold a broken event id: " + row.text(1));
    due.push_back({.name = row.text(0),
                   .cause = {.id = *id,
                             .correlation_id = row.text(2),
                             .traceparent = row.text(3),
                             .key = row.text(4),
                             .hops = static_cast<std::uint32_t>(row.integer(5)),
                             .replay_name = row.text(6),
                             .derivation = "timer/" + row.text(0)}});
    const auto removed = database_.run("DELETE FROM timers WHERE name = ?", {row.text(0)});
    if (!removed) return removed.failure();
  }
  return due;
}

Result<std::optional<WallTime>> Timers::next() {
  const auto row = database_.one("SELECT due FROM timers ORDER BY due LIMIT 1");
  if (!row) return row.failure();
  if (!row->has_value()) return std::optional<WallTime>();
  return std::optional(WallTime(WallTime::duration((*row)->integer(0))));
}

}  // namespace conga::kit
