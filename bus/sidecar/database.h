// SPDX-License-Identifier: Apache-2.0
//
// The SQLite databases beside the journal: opened here, used through the classes that know their
// tables. The handle is shared so that a test can keep a database in memory over the death of the
// Node that used it.

#pragma once

#include "common/core/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace SQLite {
class Database;
}  // namespace SQLite

namespace conga::bus {

using DatabaseHandle = std::shared_ptr<SQLite::Database>;

enum class DatabaseSync : std::uint8_t {
  Full,    ///< Every commit survives power loss.
  Normal,  ///< Power loss may take the last commits, whole: for what can be derived again.
};

/// Opens or makes the database at `path`; `:memory:` for one that goes with its handle.
Result<DatabaseHandle> open_database(const std::string& path, DatabaseSync sync);

}  // namespace conga::bus
