// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sqlite_dead_letters.h"

#include "bus/sidecar/sqlite_guard.h"

#include <algorithm>
#include <array>
#include <sqlite3.h>
#include <utility>

namespace conga::bus {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE dead_letters (
    number                    INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id                  TEXT NOT NULL,
    rule                      TEXT NOT NULL,
    target                    TEXT NOT NULL,
    service                   TEXT NOT NULL,
    sequence                  INTEGER NOT NULL,
    source                    TEXT NOT NULL,
    detail_type               TEXT NOT NULL,
    correlation_id            TEXT NOT NULL,
    error_code                TEXT NOT NULL,
    error_message             TEXT NOT NULL,
    exhausted_retry_condition TEXT NOT NULL,
    retry_attempts            INTEGER NOT NULL,
    first_attempt             TEXT,
    last_attempt              TEXT,
    at                        TEXT NOT NULL,
    event                     BLOB NOT NULL,
    UNIQUE (event_id, rule, target)
  ) STRICT;
  CREATE INDEX dead_letters_by_correlation ON dead_letters (correlation_id);
)";

/// Dead letters from before are not announced: whoever minds them knows them by now.
constexpr const char* kAnnounced = R"(
  ALTER TABLE dead_letters ADD COLUMN announced INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX dead_letters_unannounced ON dead_letters (number) WHERE announced = 0;
)";

/// What makes each version of the database out of the one before.
constexpr std::array<const char*, 2> kVersions{kSchema, kAnnounced};

constexpr const char* kInsert = R"(
  INSERT INTO dead_letters (event_id, rule, target, service, sequence, source, detail_type,
    correlation_id, error_code, error_message, exhausted_retry_condition, retry_attempts,
    first_attempt, last_attempt, at, event, announced)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (event_id, rule, target) DO NOTHING
)";

constexpr const char* kSelect = R"(
  SELECT number, event_id, rule, target, service, sequence, source, detail_type,
    correlation_id, error_code, error_message, exhausted_retry_condition, retry_attempts,
    first_attempt, last_attempt, at, event, announced
  FROM dead_letters WHERE number > ?
)";

constexpr const char* kCount = "SELECT COUNT(*) FROM dead_letters WHERE number > ?";

/// The conditions of a filter, in the order in which bind() binds them.
std::string where(const DeadLetterFilter& filter) {
  std::string sql;
  if (!filter.rule.empty()) sql += " AND rule = ?";
  if (!filter.target.empty()) sql += " AND target = ?";
  if (!filter.event_id.empty()) sql += " AND event_id = ?";
  if (!filter.error_code.empty()) sql += " AND error_code = ?";
  if (!filter.correlation_id.empty()) sql += " AND correlation_id = ?";
  if (filter.unannounced) sql += " AND announced = 0";
  if (!filter.numbers.empty()) {
    sql += " AND number IN (?";
    for (std::size_t more = 1; more < filter.numbers.size(); ++more) sql += ", ?";
    sql += ")";
  }
  return sql;
}

void bind(Binder& binder, const DeadLetterFilter& filter) {
  binder.integer(filter.after);
  const auto bind_if = [&binder](const std::string& text) {
    if (!text.empty()) binder.text(text);
  };
  bind_if(filter.rule);
  bind_if(filter.target);
  bind_if(filter.event_id);
  bind_if(filter.error_code);
  bind_if(filter.correlation_id);
  for (const std::uint64_t number : filter.numbers) binder.integer(number);
}

DeadLetter letter_of(SQLite::Statement& row) {
  int column = 0;
  const auto next = [&row, &column]() { return row.getColumn(column++); };
  DeadLetter letter;
  letter.number = integer_of(next());
  letter.event_id = text_of(next());
  letter.target.rule = text_of(next());
  letter.target.target = text_of(next());
  letter.service = text_of(next());
  letter.sequence = integer_of(next());
  letter.source = text_of(next());
  letter.detail_type = text_of(next());
  letter.correlation_id = text_of(next());
  letter.error_code = text_of(next());
  letter.error_message = text_of(next());
  letter.exhausted_retry_condition = text_of(next());
  letter.retry_attempts = static_cast<std::uint32_t>(integer_of(next()));
  letter.first_attempt = time_of(next());
  letter.last_attempt = time_of(next());
  letter.at = time_of(next()).value_or(WallTime());
  letter.event = text_of(next());
  letter.announced = integer_of(next()) != 0;
  return letter;
}

}  // namespace

struct SqliteDeadLetters::Statements {
  explicit Statements(SQLite::Database& database)
      : insert(database, kInsert),
        remove(database, "DELETE FROM dead_letters WHERE number = ?"),
        announce(database, "UPDATE dead_letters SET announced = 1 WHERE number = ?"),
        count(database, "SELECT COUNT(*) FROM dead_letters") {}

  SQLite::Statement insert;
  SQLite::Statement remove;
  SQLite::Statement announce;
  SQLite::Statement count;
};

Result<std::unique_ptr<SqliteDeadLetters>> SqliteDeadLetters::open(const std::string& path) {
  auto database = open_database(path, DatabaseSync::Full);
  if (!database) return database.failure();
  return open(std::move(*database));
}

Result<std::unique_ptr<SqliteDeadLetters>> SqliteDeadLetters::open(DatabaseHandle database) {
  roll_back(*database);
  if (auto ready = prepare_schema(*database, kVersions); !ready) return ready.failure();
  return guard(*database, [&]() -> Result<std::unique_ptr<SqliteDeadLetters>> {
    auto statements = std::make_unique<Statements>(*database);
    return std::unique_ptr<SqliteDeadLetters>(
        new SqliteDeadLetters(database, std::move(statements)));
  });
}

SqliteDeadLetters::SqliteDeadLetters(DatabaseHandle database,
                                     std::unique_ptr<Statements> statements)
    : database_(std::move(database)), statements_(std::move(statements)) {}

SqliteDeadLetters::~SqliteDeadLetters() {
  statements_.reset();
  if (in_transaction_) roll_back(*database_);
}

void SqliteDeadLetters::begin() {
  if (in_transaction_) return;
  database_->exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
}

/// SQLite answers some failures, a full disk among them, by rolling back all of the transaction.
/// Then letters are gone that were taken already, and only a restart brings them back.
Result<> SqliteDeadLetters::check_transaction(Result<> outcome) {
  if (outcome || !in_transaction_) return outcome;
  if (sqlite3_get_autocommit(database_->getHandle()) == 0) return outcome;
  in_transaction_ = false;
  return fail(Fault::Permanent,
              outcome.error().what + "; this turn's dead letters were rolled back with it",
              "DeadLettersFailed");
}

Result<> SqliteDeadLetters::add(const DeadLetter& letter) {
  return check_transaction(guard(*database_, [&]() -> Result<> {
    begin();
    Binder(statements_->insert)
        .text(letter.event_id)
        .text(letter.target.rule)
        .text(letter.target.target)
        .text(letter.service)
        .integer(letter.sequence)
        .text(letter.source)
        .text(letter.detail_type)
        .text(letter.correlation_id)
        .text(letter.error_code)
        .text(letter.error_message)
        .text(letter.exhausted_retry_condition)
        .integer(letter.retry_attempts)
        .time(letter.first_attempt)
        .time(letter.last_attempt)
        .time(letter.at)
        .blob(letter.event)
        .integer(letter.announced ? 1 : 0)
        .run();
    return {};
  }));
}

Result<> SqliteDeadLetters::remove(std::uint64_t number) {
  return check_transaction(guard(*database_, [&]() -> Result<> {
    begin();
    Binder(statements_->remove).integer(number).run();
    return {};
  }));
}

Result<> SqliteDeadLetters::mark_announced(std::uint64_t number) {
  return check_transaction(guard(*database_, [&]() -> Result<> {
    begin();
    Binder(statements_->announce).integer(number).run();
    return {};
  }));
}

Result<> SqliteDeadLetters::sync() {
  if (!in_transaction_) return {};
  return check_transaction(guard(*database_, [&]() -> Result<> {
    database_->exec("COMMIT");
    in_transaction_ = false;
    return {};
  }));
}

Result<std::vector<DeadLetter>> SqliteDeadLetters::list(const DeadLetterFilter& filter) {
  return guard(*database_, [&]() -> Result<std::vector<DeadLetter>> {
    const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, 1000);
    SQLite::Statement query(
        *database_, kSelect + where(filter) + " ORDER BY number LIMIT " + std::to_string(limit));
    Binder binder(query);
    bind(binder, filter);
    std::vector<DeadLetter> letters;
    while (query.executeStep()) letters.push_back(letter_of(query));
    return letters;
  });
}

Result<std::uint64_t> SqliteDeadLetters::count(const DeadLetterFilter& filter) {
  return guard(*database_, [&]() -> Result<std::uint64_t> {
    SQLite::Statement query(*database_, kCount + where(filter));
    Binder binder(query);
    bind(binder, filter);
    if (!query.executeStep()) return std::uint64_t{0};
    return integer_of(query.getColumn(0));
  });
}

Result<std::uint64_t> SqliteDeadLetters::count() {
  return guard(*database_, [&]() -> Result<std::uint64_t> {
    Binder reset_afterwards(statements_->count);
    if (!statements_->count.executeStep()) return std::uint64_t{0};
    return integer_of(statements_->count.getColumn(0));
  });
}

}  // namespace conga::bus
