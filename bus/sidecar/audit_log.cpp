// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/audit_log.h"

#include "bus/sidecar/sqlite_guard.h"

#include <array>
#include <limits>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::array<const char*, 1> kVersions{R"(
  CREATE TABLE audit (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    at        TEXT NOT NULL,
    by        TEXT NOT NULL,
    client    TEXT NOT NULL,
    verb      TEXT NOT NULL,
    arguments TEXT NOT NULL,
    outcome   TEXT NOT NULL
  ) STRICT;
)"};

constexpr const char* kInsert =
    "INSERT INTO audit (at, by, client, verb, arguments, outcome) VALUES (?, ?, ?, ?, ?, ?)";

constexpr const char* kSelect =
    "SELECT number, at, by, client, verb, arguments, outcome FROM audit WHERE number < ? "
    "ORDER BY number DESC LIMIT ?";

AuditEntry entry_of(SQLite::Statement& row) {
  int column = 0;
  const auto next = [&row, &column]() { return row.getColumn(column++); };
  AuditEntry entry;
  entry.number = integer_of(next());
  entry.at = time_of(next()).value_or(WallTime());
  entry.by = text_of(next());
  entry.client = text_of(next());
  entry.verb = text_of(next());
  entry.arguments = text_of(next());
  entry.outcome = text_of(next());
  return entry;
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& path) {
  auto database = open_database(path, DatabaseSync::Full);
  if (!database) return database.failure();
  return open(std::move(*database));
}

Result<std::unique_ptr<AuditLog>> AuditLog::open(DatabaseHandle database) {
  if (auto ready = prepare_schema(*database, kVersions); !ready) return ready.failure();
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(database)));
}

AuditLog::AuditLog(DatabaseHandle database) : database_(std::move(database)) {}

AuditLog::~AuditLog() = default;

Result<> AuditLog::add(const AuditEntry& entry) {
  return guard(*database_, [&]() -> Result<> {
    SQLite::Statement insert(*database_, kInsert);
    Binder(insert)
        .text(format_rfc3339(entry.at))
        .text(entry.by)
        .text(entry.client)
        .text(entry.verb)
        .text(entry.arguments)
        .text(entry.outcome)
        .run();
    return {};
  });
}

Result<std::vector<AuditEntry>> AuditLog::list(std::uint64_t before, std::size_t limit) {
  return guard(*database_, [&]() -> Result<std::vector<AuditEntry>> {
    constexpr auto kNewest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    SQLite::Statement query(*database_, kSelect);
    Binder binder(query);
    binder.integer(before == 0 ? kNewest : before).integer(limit);
    std::vector<AuditEntry> entries;
    while (query.executeStep()) entries.push_back(entry_of(query));
    return entries;
  });
}

}  // namespace conga::bus
