// SPDX-License-Identifier: Apache-2.0
//
// AuditLog: which operator changed what, and when: redrives, purges, pauses. In SQLite beside the
// dead letters, so that it can be queried; nothing reads it but people.

#pragma once

#include "bus/sidecar/database.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace conga::bus {

struct AuditEntry {
  std::uint64_t number = 0;  ///< Ascending, given by the log.
  WallTime at;
  std::string by;         ///< Who, by their own word: `user@host`.
  std::string client;     ///< The process that asked.
  std::string verb;       ///< What it asked for: a verb of the protocol.
  std::string arguments;  ///< JSON.
  std::string outcome;    ///< JSON, or `CODE: message`.
};

class AuditLog {
public:
  /// In the database at `path`, which is made if absent.
  static Result<std::unique_ptr<AuditLog>> open(const std::string& path);

  static Result<std::unique_ptr<AuditLog>> open(DatabaseHandle database);

  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  /// Durable when it returns.
  Result<> add(const AuditEntry& entry);

  /// The newest `limit` entries below `before` (0: all), newest first.
  Result<std::vector<AuditEntry>> list(std::uint64_t before, std::size_t limit);

private:
  explicit AuditLog(DatabaseHandle database);

  const DatabaseHandle database_;
};

}  // namespace conga::bus
