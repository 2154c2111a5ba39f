// SPDX-License-Identifier: Apache-2.0

#include "services/kit/database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <sqlite3.h>
#include <system_error>
#include <utility>

namespace conga::kit {
namespace {

/// How long another instance on the same file may hold the write lock: a turn is far shorter.
constexpr int kBusyMilliseconds = 5000;

tl::unexpected<Error> refused(const std::string& path, const SQLite::Exception& error) {
  const int code = error.getErrorCode();
  const bool transient =
      code == SQLITE_BUSY || code == SQLITE_FULL || code == SQLITE_LOCKED || code == SQLITE_IOERR;
  return fail(transient ? Fault::Transient : Fault::Permanent,
              path + ": " + error.what(),
              "StoreUnavailable");
}

void bind(SQLite::Statement& statement, std::initializer_list<SqlValue> arguments) {
  int at = 1;
  for (const SqlValue& argument : arguments) {
    if (const auto* const number = std::get_if<std::int64_t>(&argument)) {
      statement.bind(at, *number);
    } else if (const auto* const text = std::get_if<std::string_view>(&argument)) {
      statement.bind(at, std::string(*text));
    } else {
      const std::string_view bytes = std::get<Blob>(argument).bytes;
      statement.bind(at, bytes.data(), static_cast<int>(bytes.size()));
    }
    ++at;
  }
}

Row row_of(SQLite::Statement& statement) {
  std::vector<Row::Cell> cells;
  for (int at = 0; at < statement.getColumnCount(); ++at) {
    const SQLite::Column column = statement.getColumn(at);
    if (column.isNull()) {
      cells.emplace_back();
    } else if (column.isInteger()) {
      cells.emplace_back(std::int64_t{column.getInt64()});
    } else {
      cells.emplace_back(column.getString());
    }
  }
  return Row(std::move(cells));
}

}  // namespace

struct Database::State {
  explicit State(const std::string& file)
      : path(file),
        connection(file,
                   // One thread owns it: SQLite's own locks would cost and guard nothing.
                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                   kBusyMilliseconds) {}

  SQLite::Statement& prepared(std::string_view sql) {
    const auto known = statements.find(sql);
    if (known != statements.end()) {
      known->second.reset();
      known->second.clearBindings();
      return known->second;
    }
    const std::string text(sql);
    return statements.try_emplace(text, connection, text).first->second;
  }

  /// Runs `work`, which may throw what SQLiteCpp throws.
  template <class Work>
  auto guarded(Work work) -> Result<decltype(work())> {
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      return refused(path, error);
    }
  }

  std::string path;
  SQLite::Database connection;
  std::map<std::string, SQLite::Statement, std::less<>> statements;
  bool in_transaction = false;
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::error_code ignored;  // opening the file says what is wrong
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  try {
    auto state = std::make_unique<State>(path);
    state->connection.exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA foreign_keys=ON;"
        // 16 MiB of log between checkpoints: a page that changes in every turn is copied back once.
        "PRAGMA wal_autocheckpoint=4096; PRAGMA cache_size=-16384;");
    return std::unique_ptr<Database>(new Database(std::move(state)));
  } catch (const SQLite::Exception& error) {
    return refused(path, error);
  }
}

std::unique_ptr<Database> Database::in_memory() {
  auto state = std::make_unique<State>(":memory:");
  state->connection.exec("PRAGMA foreign_keys=ON;");
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

std::string Database::sibling(std::string_view name) const {
  const std::filesystem::path file(state_->connection.getFilename());
  return (file.parent_path() / name).string();
}

Result<> Database::migrate(std::string_view component, std::span<const std::string_view> steps) {
  const auto migrated = state_->guarded([&] {
    SQLite::Database& connection = state_->connection;
    SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
    connection.exec(
        "CREATE TABLE IF NOT EXISTS schema_version("
        "component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
    SQLite::Statement current(connection, "SELECT version FROM schema_version WHERE component = ?");
    current.bind(1, std::string(component));
    const auto done =
        static_cast<std::size_t>(current.executeStep() ? current.getColumn(0).getInt() : 0);
    current.reset();  // while it is being read, no step may drop a table
    for (std::size_t step = done; step < steps.size(); ++step)
      connection.exec(std::string(steps[step]));
    SQLite::Statement update(connection, "INSERT OR REPLACE INTO schema_version VALUES(?, ?)");
    update.bind(1, std::string(component));
    update.bind(2, static_cast<std::int64_t>(std::max(done, steps.size())));
    update.exec();
    transaction.commit();
    return done;
  });
  if (!migrated) return migrated.failure();
  if (*migrated <= steps.size()) return {};
  return fail(Fault::Permanent,
              state_->path + ": the tables of " + std::string(component)
                  + " were made by a newer version of this program; use that version",
              "NewerSchema");
}

Result<int> Database::run(std::string_view sql, std::initializer_list<SqlValue> arguments) {
  return state_->guarded([&] {
    SQLite::Statement& statement = state_->prepared(sql);
    bind(statement, arguments);
    const int changed = statement.exec();
    statement.reset();
    return changed;
  });
}

Result<std::vector<Row>> Database::all(std::string_view sql,
                                       std::initializer_list<SqlValue> arguments) {
  return state_->guarded([&] {
    SQLite::Statement& statement = state_->prepared(sql);
    bind(statement, arguments);
    std::vector<Row> rows;
    while (statement.executeStep()) rows.push_back(row_of(statement));
    statement.reset();
    return rows;
  });
}

Result<std::optional<Row>> Database::one(std::string_view sql,
                                         std::initializer_list<SqlValue> arguments) {
  auto rows = all(sql, arguments);
  if (!rows) return rows.failure();
  if (rows->empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows->front()));
}

Result<> Database::begin() {
  if (state_->in_transaction) return {};
  // IMMEDIATE: the write lock is taken now, so that no statement later fails for want of it.
  const auto begun = run("BEGIN IMMEDIATE");
  if (!begun) return begun.failure();
  state_->in_transaction = true;
  return {};
}

Result<> Database::commit() {
  if (!state_->in_transaction) return {};
  const auto committed = run("COMMIT");
  if (!committed) return committed.failure();
  state_->in_transaction = false;
  return {};
}

void Database::rollback() {
  if (!state_->in_transaction) return;
  // SQLite has rolled back by itself after some errors; then there is nothing left to undo.
  static_cast<void>(run("ROLLBACK"));
  state_->in_transaction = false;
}

Result<> Database::savepoint() {
  const auto made = run("SAVEPOINT event");
  return made ? Result<>() : made.failure();
}

Result<> Database::release() {
  const auto released = run("RELEASE event");
  return released ? Result<>() : released.failure();
}

Result<> Database::rollback_to_savepoint() {
  const auto undone = run("ROLLBACK TO event");
  return undone ? release() : undone.failure();
}

}  // namespace conga::kit
