// SPDX-License-Identifier: Apache-2.0
//
// SqliteDeadLetters: the dead-letter queue in a SQLite database, for conga and for plain SQL:
// `sqlite3 dead-letters.db 'select rule, target, error_code, count(*) from dead_letters group by 1,
// 2, 3'`.

#pragma once

#include "bus/sidecar/database.h"
#include "bus/sidecar/dead_letters.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace conga::bus {

class SqliteDeadLetters final : public DeadLetters {
public:
  /// On the database at `path`, which is made if absent.
  static Result<std::unique_ptr<SqliteDeadLetters>> open(const std::string& path);

  /// On an open database, opened with DatabaseSync::Full if it is to survive power loss. What a
  /// predecessor did not sync is rolled back.
  static Result<std::unique_ptr<SqliteDeadLetters>> open(DatabaseHandle database);

  ~SqliteDeadLetters() override;

  Result<> add(const DeadLetter& letter) override;
  Result<> remove(std::uint64_t number) override;
  Result<> mark_announced(std::uint64_t number) override;
  Result<> sync() override;
  Result<std::vector<DeadLetter>> list(const DeadLetterFilter& filter) override;
  Result<std::uint64_t> count(const DeadLetterFilter& filter) override;
  Result<std::uint64_t> count() override;

private:
  struct Statements;

  SqliteDeadLetters(DatabaseHandle database, std::unique_ptr<Statements> statements);

  void begin();
  Result<> check_transaction(Result<> outcome);

  const DatabaseHandle database_;
  std::unique_ptr<Statements> statements_;
  bool in_transaction_ = false;
};

}  // namespace conga::bus
