// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/database.h"

#include "bus/sidecar/sqlite_guard.h"

#include <sqlite3.h>

namespace conga::bus {
namespace {

constexpr int kBusyTimeout = 2000;  // Milliseconds: somebody's sqlite3 shell may hold a lock.

Fault fault_of(int code) {
  switch (code) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return Fault::Transient;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Fault::Corrupt;
    default:
      return Fault::Permanent;
  }
}

std::string name_of(const SQLite::Database& database) {
  const std::string& name = database.getFilename();
  return name.empty() ? std::string(":memory:") : name;
}

}  // namespace

tl::unexpected<Error> database_failure(const SQLite::Database& database,
                                       const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xff;
  return fail(fault_of(code),
              name_of(database) + ": " + error.what(),
              code == SQLITE_FULL ? "DiskFull" : "");
}

Result<DatabaseHandle> open_database(const std::string& path, DatabaseSync sync) {
  try {
    auto database = std::make_shared<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeout);
    database->exec("PRAGMA journal_mode = WAL");
    database->exec(sync == DatabaseSync::Full ? "PRAGMA synchronous = FULL"
                                              : "PRAGMA synchronous = NORMAL");
    return database;
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode() & 0xff;
    return fail(fault_of(code), path + ": cannot open the database: " + error.what());
  }
}

Result<> prepare_schema(SQLite::Database& database, std::span<const char* const> versions) {
  return guard(database, [&]() -> Result<> {
    const auto found =
        static_cast<std::size_t>(database.execAndGet("PRAGMA user_version").getInt());
    if (found == versions.size()) return {};
    if (found > versions.size()) {
      return fail(Fault::Permanent,
                  name_of(database) + ": a database of version " + std::to_string(found)
                      + ", and this program knows version " + std::to_string(versions.size())
                      + ": use the program that wrote it, or move the file away",
                  "OtherVersion");
    }
    SQLite::Transaction transaction(database);
    for (const char* const version : versions.subspan(found)) database.exec(version);
    database.exec("PRAGMA user_version = " + std::to_string(versions.size()));
    transaction.commit();
    return {};
  });
}

void roll_back(SQLite::Database& database) noexcept {
  // An error means that no transaction is open.
  static_cast<void>(database.tryExec("ROLLBACK"));
}

std::string text_of(const SQLite::Column& column) {
  return column.getString();
}

std::optional<WallTime> time_of(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  const auto time = parse_rfc3339(column.getString());
  if (!time) return std::nullopt;
  return *time;
}

std::uint64_t integer_of(const SQLite::Column& column) {
  return static_cast<std::uint64_t>(column.getInt64());
}

}  // namespace conga::bus
