// SPDX-License-Identifier: Apache-2.0
//
// `conga rules stats`: what each rule matched, when last, and which matched nothing for a day; and
// the events that no rule wanted. From a sidecar's journal, so it knows what was before a restart.

#pragma once

#include "bus/rules/rule_set.h"
#include "cli/commands/rules.h"
#include "cli/exit_code.h"
#include "cli/journal_reader.h"
#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/io/files.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace conga::cli {

/// How often something was, and when last.
struct Seen {
  std::uint64_t count = 0;
  WallTime last;
};

class RuleStats {
public:
  /// Events from `since` on count; `last` knows of earlier ones too.
  explicit RuleStats(WallTime since) : since_(since) {}

  void add(const JournalEntry& entry);

  /// By rule's name.
  const std::map<std::string, Seen>& rules() const { return rules_; }

  /// By source and detail-type.
  const std::map<std::pair<std::string, std::string>, Seen>& unmatched() const {
    return unmatched_;
  }

  /// When the oldest event of the journal was accepted.
  const std::optional<WallTime>& oldest() const { return oldest_; }

private:
  void count(Seen& seen, WallTime when) const;

  WallTime since_;
  std::optional<WallTime> oldest_;
  std::map<std::string, Seen> rules_;
  std::map<std::pair<std::string, std::string>, Seen> unmatched_;
};

/// Refused if a file cannot be read.
ExitCode show_stats(
    Files& files, const RulesOptions& options, WallTime now, Screen& screen, Look look);

}  // namespace conga::cli
