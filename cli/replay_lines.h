// SPDX-License-Identifier: Apache-2.0
//
// ReplayLines: archived events as lines to put once more, each marked with the replay's name, at
// the pace at which they came, or as fast as they are taken. A thread of its own reads the archive.
//
// A replayed event has an id of its own, made from the old one and the replay's name: the same
// replay once more makes the same ids, so that what was put before an interruption is recognised.

#pragma once

#include "cli/archive.h"
#include "cli/line_source.h"
#include "common/core/clock.h"
#include "common/core/ids.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace conga::cli {

/// Whom a replay is for; both empty: rules that say `replay: true`, and all their targets.
struct ReplayTo {
  std::vector<std::string> rules{};    ///< These, whatever they say of replays.
  std::vector<std::string> targets{};  ///< Only these of them.
};

/// The replayed event: `original` with another id, `replay-name`, the original's id as
/// causation-id, and `replay-to` if the replay is for some only.
std::string replayed(const EventView& original, const std::string& name, const ReplayTo& to = {});

struct ReplayPace {
  /// How many times as fast as the events came, above 0; 0: as fast as they are taken.
  double speed = 0;
};

/// Where it is kept how far a replay got.
class Bookmark {
public:
  Bookmark() = default;
  Bookmark(const Bookmark&) = delete;
  Bookmark& operator=(const Bookmark&) = delete;
  virtual ~Bookmark() = default;

  /// The event of this sequence is done with, and so is every chosen one before it. Durable when it
  /// returns.
  virtual Result<> keep(bus::Sequence done) = 0;

  /// The replay came to its end: there is nothing to go on with.
  virtual Result<> finish() = 0;
};

/// `clock` must outlive it. Transient if there is no thread or pipe left; a faulty choice breaks
/// the lines with the reason, and so does a bookmark that cannot be kept; null: none is.
Result<std::unique_ptr<LineSource>> open_replay(const ArchiveChoice& choice,
                                                const std::string& name,
                                                const ReplayTo& to,
                                                ReplayPace pace,
                                                const Clock& clock,
                                                std::unique_ptr<Bookmark> bookmark = nullptr);

}  // namespace conga::cli
