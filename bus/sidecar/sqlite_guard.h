// SPDX-License-Identifier: Apache-2.0
//
// guard(): turns SQLite's exceptions into Results, at the border of each adapter. For the .cpp
// files that use SQLite only, because of what it includes.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace conga::bus {

/// What an operator can do about it, naming the file.
tl::unexpected<Error> database_failure(const SQLite::Database& database,
                                       const SQLite::Exception& error);

/// `work()`, or the failure that it threw. `work` returns a Result.
template <class Work>
auto guard(const SQLite::Database& database, const Work& work) -> std::invoke_result_t<Work> {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    return database_failure(database, error);
  }
}

/// Makes the tables in an empty database, and brings an older one up to date. `versions[n]` is what
/// makes version n + 1 (`user_version`) out of version n. Refuses a newer one, naming the file and
/// the remedy.
Result<> prepare_schema(SQLite::Database& database, std::span<const char* const> versions);

/// Takes back what a predecessor on the same handle began and did not commit.
void roll_back(SQLite::Database& database) noexcept;

/// A column as text() and time() bound it.
std::string text_of(const SQLite::Column& column);
std::optional<WallTime> time_of(const SQLite::Column& column);
std::uint64_t integer_of(const SQLite::Column& column);

/// Binds the parameters from the first on, and resets the statement when done with it.
class Binder {
public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}

  Binder(const Binder&) = delete;
  Binder& operator=(const Binder&) = delete;

  ~Binder() { statement_.tryReset(); }

  Binder& integer(std::uint64_t value) {
    statement_.bind(++index_, static_cast<std::int64_t>(value));
    return *this;
  }

  Binder& text(std::string_view value) {
    statement_.bind(++index_, std::string(value));
    return *this;
  }

  Binder& blob(std::string_view value) {
    statement_.bind(
        ++index_, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
    return *this;
  }

  /// RFC 3339, for people; NULL if there is none.
  Binder& time(const std::optional<WallTime>& value) {
    if (value) return text(format_rfc3339(*value));
    statement_.bind(++index_);
    return *this;
  }

  /// Executes a statement that returns no rows.
  void run() { statement_.exec(); }

private:
  SQLite::Statement& statement_;
  int index_ = 0;
};

}  // namespace conga::bus
