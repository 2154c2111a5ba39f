// SPDX-License-Identifier: Apache-2.0
//
// FileArchive: an ArchiveLog in segment files of the journal's format, so that whatever reads a
// journal reads an archive. Its newest two segments are read at the start, however many it has.

#pragma once

#include "bus/sidecar/archive_log.h"
#include "common/io/files.h"
#include "common/io/record_log.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace conga::bus {

/// Where the archives of a journal are: a folder each, by name.
inline constexpr std::string_view kArchivesFolder = "archives";

class FileArchive final : public ArchiveLog {
public:
  /// Locks the directory, made if absent. An event must fit a segment of `segment_size` bytes
  /// (RecordLogOptions). Corrupt with code `DamagedJournal` as RecordLog. `files` must outlive it.
  static Result<std::unique_ptr<FileArchive>> open(Files& files,
                                                   std::string directory,
                                                   std::uint32_t segment_size);

  bool has(Sequence sequence) const override;

  Result<> append(Sequence sequence, WallTime ingested, std::string_view event) override;
  Result<> sync() override;
  Result<> maintain(WallTime now, const ArchiveRetention& retention) override;

  std::uint64_t bytes() const override { return log_->bytes_on_disk(); }

private:
  FileArchive() = default;

  void note_for_next_segment();
  Result<> end_aged_segment(WallTime now, Duration age);

  std::unique_ptr<RecordLog> log_;
  Sequence newest_ = 0;          ///< That was appended.
  Sequence durable_ = 0;         ///< All up to this one that were appended are durable.
  std::set<Sequence> survived_;  ///< Of the last commit before this run; there may be gaps.
  WallTime newest_time_;
  std::optional<WallTime> begun_;  ///< When the first event of the newest segment was ingested.
};

}  // namespace conga::bus
