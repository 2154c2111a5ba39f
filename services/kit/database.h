// SPDX-License-Identifier: Apache-2.0
//
// Database: a service's SQLite file, its statements and its transactions. The only user of
// SQLiteCpp among the services; its exceptions become Results here. A busy or full database is
// Transient, everything else that SQLite refuses is Permanent.

#pragma once

#include "common/core/result.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace conga::kit {

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// A statement's argument.
using SqlValue = std::variant<std::int64_t, std::string_view, Blob>;

/// A result row, read by position.
class Row {
public:
  using Cell = std::variant<std::monostate, std::int64_t, std::string>;

  explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}

  bool is_null(std::size_t at) const { return cells_[at].index() == 0; }

  std::int64_t integer(std::size_t at) const { return std::get<std::int64_t>(cells_[at]); }

  /// Text or blob.
  const std::string& text(std::size_t at) const { return std::get<std::string>(cells_[at]); }

private:
  std::vector<Cell> cells_;
};

/// Owned by its service's thread. Copies of the file must be made with SQLite's own tools.
class Database {
public:
  /// Opens or makes the file: WAL, synchronous=FULL, foreign keys.
  static Result<std::unique_ptr<Database>> open(const std::string& path);

  /// One that lives as long as this object: for tests, where it outlives the service's crashes.
  static std::unique_ptr<Database> in_memory();

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// The path of `name` beside the database's file: where a service's other files go by default.
  std::string sibling(std::string_view name) const;

  /// Brings the part of the schema called `component` up to the last of `steps`, each a script
  /// that runs once for ever. Steps are only ever added.
  Result<> migrate(std::string_view component, std::span<const std::string_view> steps);

  /// Returns how many rows changed. Statements are prepared once and kept by their text.
  Result<int> run(std::string_view sql, std::initializer_list<SqlValue> arguments = {});
  Result<std::vector<Row>> all(std::string_view sql,
                               std::initializer_list<SqlValue> arguments = {});
  Result<std::optional<Row>> one(std::string_view sql,
                                 std::initializer_list<SqlValue> arguments = {});

  /// Starts the turn's transaction if none is open.
  Result<> begin();

  /// Durable when it returns. Nothing to do if no transaction is open.
  Result<> commit();

  /// Undoes the open transaction, if there is one.
  void rollback();

  /// A part of the transaction that can be undone alone.
  Result<> savepoint();
  Result<> release();

  /// Fails if SQLite has already rolled back the whole transaction, as it does when the disk is
  /// full: then nothing of the turn is left, and nothing of it may be settled.
  Result<> rollback_to_savepoint();

private:
  struct State;

  explicit Database(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace conga::kit
