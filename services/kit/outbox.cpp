// SPDX-License-Identifier: Apache-2.0

#include "services/kit/outbox.h"

#include <array>
#include <string_view>

namespace conga::kit {
namespace {

constexpr std::array<std::string_view, 2> kSteps{
    "CREATE TABLE outbox(number INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE,"
    " event BLOB NOT NULL) STRICT;"
    "CREATE TABLE outbox_refused(event_id TEXT PRIMARY KEY, event BLOB NOT NULL,"
    " code TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL) STRICT;",
    "ALTER TABLE outbox ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE outbox ADD COLUMN at INTEGER NOT NULL DEFAULT 0;"};

std::int64_t stored(WallTime time) {
  return time.time_since_epoch().count();
}

/// Of rows with number, event id and event.
Result<std::vector<Outbox::Entry>> entries_of(const std::vector<Row>& rows) {
  std::vector<Outbox::Entry> entries;
  for (const Row& row : rows) {
    const auto id = Uuid::parse(row.text(1));
    if (!id) return fail(Fault::Corrupt, "the outbox holds a broken event id: " + row.text(1));
    entries.push_back({.number = row.integer(0), .id = *id, .event = row.text(2)});
  }
  return entries;
}

Result<> done(const Result<int>& ran) {
  return ran ? Result<>() : ran.failure();
}

}  // namespace

Result<> Outbox::migrate() {
  return database_.migrate("outbox", kSteps);
}

Result<> Outbox::add(const Event& event, WallTime now) {
  return done(
      database_.run("INSERT OR IGNORE INTO outbox(event_id, event, owner, at) VALUES(?, ?, ?, ?)",
                    {event.id.text(), Blob{encode(event)}, owner_, stored(now)}));
}

Result<std::vector<Outbox::Entry>> Outbox::after(std::int64_t number, std::size_t limit) {
  const auto rows = database_.all(
      "SELECT number, event_id, event FROM outbox WHERE number > ? AND owner = ?"
      " ORDER BY number LIMIT ?",
      {number, owner_, static_cast<std::int64_t>(limit)});
  if (!rows) return rows.failure();
  return entries_of(*rows);
}

Result<std::vector<Outbox::Entry>> Outbox::adopt(WallTime horizon,
                                                 WallTime now,
                                                 std::size_t limit) {
  const auto rows = database_.all(
      "SELECT number, event_id, event FROM outbox WHERE owner != ? AND at NOT BETWEEN ? AND ?"
      " ORDER BY number LIMIT ?",
      {owner_, stored(horizon), stored(now), static_cast<std::int64_t>(limit)});
  if (!rows) return rows.failure();
  for (const Row& row : *rows) {
    const auto taken = database_.run("UPDATE outbox SET owner = ?, at = ? WHERE number = ?",
                                     {owner_, stored(now), row.integer(0)});
    if (!taken) return taken.failure();
  }
  return entries_of(*rows);
}

Result<> Outbox::settle(const PutResult& result, WallTime now) {
  if (!result.ok()) {
    const auto kept = database_.run(
        "INSERT OR REPLACE INTO outbox_refused"
        " SELECT event_id, event, ?, ?, ? FROM outbox WHERE event_id = ?",
        {result.code, result.message, stored(now), result.event_id});
    if (!kept) return kept.failure();
  }
  return done(database_.run("DELETE FROM outbox WHERE event_id = ?", {result.event_id}));
}

Result<bool> Outbox::is_empty() {
  const auto row = database_.one("SELECT 1 FROM outbox LIMIT 1");
  if (!row) return row.failure();
  return !row->has_value();
}

}  // namespace conga::kit
