// SPDX-License-Identifier: Apache-2.0
//
// Archive: the events that a sidecar's journal keeps, chosen by time and pattern. What was replayed
// is not among them: it was in the archive before.

#pragma once

#include "cli/event_filter.h"
#include "cli/journal_reader.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/io/files.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::cli {

struct ArchiveChoice {
  std::string journal{};  ///< The sidecar's journal.directory.
  std::string archive{};  ///< An archive of the rules; empty: the journal itself.
  std::string since{};    ///< `24h` ago, or RFC 3339; empty: the oldest. So the next.
  std::string until{};
  std::string pattern{};    ///< JSON or `@file`; empty: every event.
  bus::Sequence after = 0;  ///< Only events behind this one.
};

/// Where the chosen archive is.
std::string directory_of(const ArchiveChoice& choice);

/// The archives beside a journal, by name. Permanent if the directory cannot be read.
Result<std::vector<std::string>> archives_of(Files& files, const std::string& journal);

/// `24h`: so long before `now`; or a time by RFC 3339. Permanent if it is neither.
Result<WallTime> parse_when(std::string_view text, WallTime now);

/// Whether it is an event that was not there before: neither carried nor replayed.
bool is_archived(const JournalEntry& entry);

/// One archived event, while it is being read.
struct Archived {
  bus::Sequence sequence = 0;
  WallTime ingested;
  const EventView& event;
};

/// Hands over each chosen event, oldest first, until it is done or `stop` is set. Permanent if
/// the choice makes no sense or there is no journal. Returns what the journal holds that cannot be
/// read, a sentence each.
Result<std::vector<std::string>> read_archive(Files& files,
                                              const ArchiveChoice& choice,
                                              WallTime now,
                                              const std::atomic<bool>& stop,
                                              const std::function<void(const Archived&)>& use);

}  // namespace conga::cli
