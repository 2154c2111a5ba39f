// SPDX-License-Identifier: Apache-2.0
//
// LetterNews: says on the bus that a delivery became a dead letter (source `conga.dlq`, detail-type
// `EventDeadLettered`), once for each, so that services can react. A dead letter that is itself of
// one of conga's own events is not announced, and an announcement has as many hops as its event, so
// that whoever answers to it runs into max-hops like every other loop.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/own_events.h"
#include "common/core/result.h"

#include <cstdint>
#include <string_view>

namespace conga::bus {

class LetterNews {
public:
  /// Both must outlive it.
  LetterNews(DeadLetters& letters, OwnEvents& events) : letters_(letters), events_(events) {}

  /// Whether there is to be an announcement of a dead letter of that source.
  static bool is_news(std::string_view source);

  /// There are new dead letters.
  void look() { look_ = true; }

  /// Offers announcements as far as there is room. An error is fatal.
  Result<> step();

  /// step() has something to do.
  bool wants_step() const { return look_ && events_.has_room(); }

private:
  DeadLetters& letters_;
  OwnEvents& events_;
  std::uint64_t offered_ = 0;  ///< The highest number offered in this run.
  bool look_ = true;           ///< A run before this one may have left some.
};

/// The announcement of a dead letter; its id is always the same.
Event announcement_of(const DeadLetter& letter);

}  // namespace conga::bus
