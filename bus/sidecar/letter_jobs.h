// SPDX-License-Identifier: Apache-2.0
//
// LetterJobs: redrives and purges under way. There may be a million dead letters, so a job does a
// bounded part of its work in a turn. A redriven dead letter is removed only after the journal owes
// its delivery again, durably: a crash in between leaves it twice, never lost.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class LetterJobs {
public:
  enum class Kind : std::uint8_t { Redrive, Purge };

  /// Appends the letter's delivery to the journal again. Code `TargetRemoved`: there is nowhere to
  /// deliver it; another Transient error: not now; all else is fatal.
  using Redrive = std::function<Result<>(const DeadLetter&)>;

  /// Appends an answer to that client: `body` is the whole message.
  using Reply = std::function<void(const std::string& client, const std::string& body)>;

  LetterJobs(DeadLetters& letters, Redrive redrive, Reply reply)
      : letters_(letters), redrive_(std::move(redrive)), reply_(std::move(reply)) {}

  /// Takes on a job. One that was asked for before is not done again.
  void ask(const Time& now,
           const std::string& client,
           std::uint64_t request,
           Kind kind,
           DeadLetterFilter filter);

  bool idle() const { return jobs_.empty(); }

  /// A part of the first job's work. An error is fatal.
  Result<> step();

  /// To be called once the journal has synced what step() appended. An error is fatal.
  Result<> remove_redriven();

private:
  struct Job {
    std::string client;
    std::uint64_t request = 0;
    Kind kind = Kind::Purge;
    DeadLetterFilter filter;
    WallTime asked;  ///< Letters that came later are not meant.
    std::uint64_t done = 0;
    std::uint64_t refused = 0;
    std::optional<Error> refusal;  ///< The last one.
  };

  struct Answered {
    std::string client;
    std::uint64_t request = 0;
    std::string body;
  };

  Result<> work(Job& job, const std::vector<DeadLetter>& letters, bool& ended);
  Result<> take_one(Job& job, const DeadLetter& letter, bool& ended);
  void answer(const Job& job);

  DeadLetters& letters_;
  Redrive redrive_;
  Reply reply_;
  std::deque<Job> jobs_;
  std::vector<std::uint64_t> redriven_;
  std::deque<Answered> answered_;  ///< The last few, for questions asked again.
};

}  // namespace conga::bus
