// SPDX-License-Identifier: Apache-2.0
//
// ArchiveLog: where the events of one archive are kept, apart from the journal and for as long as
// the archive says. FileArchive keeps them in files; nothing above this seam knows about files.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/wire/topics.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace conga::bus {

/// For how long an archive keeps events; 0: for ever.
struct ArchiveRetention {
  Duration age{0};          ///< At least so long.
  std::uint64_t bytes = 0;  ///< The oldest go while there is more than this.

  friend bool operator==(const ArchiveRetention&, const ArchiveRetention&) = default;
};

class ArchiveLog {
public:
  ArchiveLog() = default;
  ArchiveLog(const ArchiveLog&) = delete;
  ArchiveLog& operator=(const ArchiveLog&) = delete;
  virtual ~ArchiveLog() = default;

  /// Whether it has been appended, ever.
  virtual bool has(Sequence sequence) const = 0;

  /// Events are appended once, in the order of their sequences. Transient with code `DiskFull`:
  /// nothing was appended, and later calls may succeed. Any other error: give the log up.
  virtual Result<> append(Sequence sequence, WallTime ingested, std::string_view event) = 0;

  /// Makes everything appended so far durable. After an error the log must be given up.
  virtual Result<> sync() = 0;

  /// Drops what is older or more than `retention` wants; a bounded amount of work.
  virtual Result<> maintain(WallTime now, const ArchiveRetention& retention) = 0;

  /// On disk.
  virtual std::uint64_t bytes() const = 0;
};

/// An archive's folder has its name.
inline bool is_archive_name(std::string_view name) {
  return is_valid_name(name) && !name.starts_with('.');
}

/// Opens the archive of this name, made if absent.
using OpenArchive = std::function<Result<std::unique_ptr<ArchiveLog>>(const std::string& name)>;

}  // namespace conga::bus
