// SPDX-License-Identifier: Apache-2.0
//
// Purges: dead letters being deleted for good because somebody asked for it. There may be a million
// of them, so a purge does a bounded part of its work in a turn, and is answered when it has ended.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace conga::bus {

class Purges {
public:
  /// Appends an answer to that client: `body` is the whole message.
  using Reply = std::function<void(const std::string& client, const std::string& body)>;

  /// `letters` must outlive it.
  Purges(DeadLetters& letters, Reply reply) : letters_(letters), reply_(std::move(reply)) {}

  /// Takes on a purge. One that was asked for before is not done again.
  void ask(const Time& now,
           const std::string& client,
           std::uint64_t request,
           DeadLetterFilter filter);

  bool idle() const { return purges_.empty(); }

  /// A part of the first one's work, to be committed with letters.sync(). An error is fatal.
  Result<> step();

private:
  struct Purge {
    std::string client;
    std::uint64_t request = 0;
    DeadLetterFilter filter;
    WallTime asked;  ///< Letters that came later are not meant.
    std::uint64_t done = 0;
  };

  struct Answered {
    std::string client;
    std::uint64_t request = 0;
    std::string body;
  };

  void answer(const Purge& purge);

  DeadLetters& letters_;
  Reply reply_;
  std::deque<Purge> purges_;
  std::deque<Answered> answered_;  ///< The last few, for questions asked again.
};

}  // namespace conga::bus
