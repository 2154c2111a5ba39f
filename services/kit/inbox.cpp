// SPDX-License-Identifier: Apache-2.0

#include "services/kit/inbox.h"

#include <array>
#include <string_view>

namespace conga::kit {
namespace {

constexpr std::array<std::string_view, 1> kSteps{
    "CREATE TABLE inbox(event_id BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX inbox_at ON inbox(at);"};

Blob blob(const Uuid& id) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as bytes
  return {{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}};
}

Result<> done(const Result<int>& ran) {
  return ran ? Result<>() : ran.failure();
}

}  // namespace

Result<> Inbox::migrate() {
  return database_.migrate("inbox", kSteps);
}

Result<bool> Inbox::contains(const Uuid& event) {
  const auto row = database_.one("SELECT 1 FROM inbox WHERE event_id = ?", {blob(event)});
  if (!row) return row.failure();
  return row->has_value();
}

Result<> Inbox::add(const Uuid& event, WallTime now) {
  return done(database_.run("INSERT OR IGNORE INTO inbox VALUES(?, ?)",
                            {blob(event), std::int64_t{now.time_since_epoch().count()}}));
}

Result<> Inbox::prune(WallTime horizon) {
  return done(database_.run("DELETE FROM inbox WHERE at < ?",
                            {std::int64_t{horizon.time_since_epoch().count()}}));
}

}  // namespace conga::kit
