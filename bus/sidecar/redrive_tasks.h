// SPDX-License-Identifier: Apache-2.0
//
// RedriveTasks: dead letters on their way back to their targets. A task sends a few canaries first
// and goes on, at a rate, once they are settled; it stops at the first delivery that fails again
// for the cause its dead letter had, so that a fault that is still there costs one failure and not
// a million. It is what SQS calls a message move task, with canaries:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
//
// A redriven dead letter is removed only after the journal owes its delivery again, durably: a
// crash in between leaves it twice, never lost. A task ends with the process; what it has not
// redriven stays in the queue.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::bus {

struct RedriveRequest {
  DeadLetterFilter filter;
  std::uint32_t canaries = 0;  ///< Sent first; the others wait until all of them are settled.
  std::uint32_t rate = 0;      ///< Dead letters in a second after the canaries; 0: no limit.
  std::string by;              ///< Who asked for it, for the audit.
  std::string arguments;       ///< What was asked for, likewise.
};

struct RedriveTask {
  enum class State : std::uint8_t { Canary, Redriving, Done, Stopped, Cancelled };

  /// What made it stop: a failed delivery, or that none could be redriven.
  struct Stop {
    std::uint64_t letter = 0;  ///< Its number when it was redriven; 0: no single one.
    std::string event_id;
    std::string code;
    std::string message;
  };

  std::uint64_t number = 0;  ///< From 1 in each run of the sidecar.
  State state = State::Canary;
  RedriveRequest request;
  std::string client;          ///< The process that asked.
  WallTime asked;              ///< Letters that came later are not meant.
  std::uint64_t total = 0;     ///< That were meant when it was asked for.
  std::uint64_t redriven = 0;  ///< Put back into their targets' queues.
  std::uint64_t settled = 0;   ///< Of the redriven; so the next.
  std::uint64_t dead = 0;      ///< Dead letters again.
  std::uint64_t refused = 0;   ///< Their target is not in the rules.
  std::optional<Stop> stop;

  bool has_ended() const { return state != State::Canary && state != State::Redriving; }
};

std::string_view name_of(RedriveTask::State state);

class RedriveTasks {
public:
  /// Appends the letter's delivery to the journal again: the sequence it has now. Code
  /// `TargetRemoved`: there is nowhere to deliver it; another Transient error: not now; all else is
  /// fatal.
  using Redrive = std::function<Result<std::uint64_t>(const DeadLetter&)>;

  /// Hears of each task that has ended.
  using Ended = std::function<void(const RedriveTask&)>;

  /// `letters` must outlive it.
  RedriveTasks(DeadLetters& letters, Redrive redrive, Ended ended)
      : letters_(letters), redrive_(std::move(redrive)), ended_(std::move(ended)) {}

  /// Begins a task; one that the same client asked for with the same request is not begun again.
  /// Code `Busy`: too many are under way.
  Result<RedriveTask> start(const Time& now,
                            const std::string& client,
                            std::uint64_t request,
                            RedriveRequest what);

  /// The tasks under way and the last few that have ended, by number. `number` 0: all.
  std::vector<RedriveTask> list(std::uint64_t number = 0) const;

  /// Ends a task where it is. Nothing if there is no such task.
  std::optional<RedriveTask> cancel(std::uint64_t number);

  /// A part of the work. An error is fatal.
  Result<> step(const Time& now);

  /// What became of deliveries; those that no task redrove are ignored.
  void on_settled(std::uint64_t sequence);
  void on_retry(std::uint64_t sequence, const std::string& code, const std::string& message);
  void on_dead(std::uint64_t sequence, const std::string& code, const std::string& message);

  /// To be called once the journal has synced what step() appended. An error is fatal.
  Result<> remove_redriven();

  /// Whether that has something to do.
  bool has_redriven() const { return !redriven_.empty(); }

  /// When step() has something to do; a time long past: now.
  std::optional<SteadyTime> wake_at() const;

private:
  struct Work {
    RedriveTask task;
    std::uint64_t request = 0;
    SteadyTime paced_since{};     ///< When the canaries were through.
    std::uint64_t paced = 0;      ///< Redriven since.
    bool out_of_letters = false;  ///< All that were meant have been looked at.
  };

  struct Watched {
    std::uint64_t task = 0;
    std::uint64_t letter = 0;
    std::string event_id;
    std::string code;  ///< The cause its dead letter had.
  };

  Result<> step(const Time& now, Work& work);
  Result<> redrive_some(Work& work, std::size_t most);
  Result<> redrive_one(Work& work, const DeadLetter& letter);
  static bool awaits_canaries(const Work& work);
  static std::size_t allowance(const Time& now, const Work& work);
  void on_failure(const Watched& watched, const std::string& code, const std::string& message);
  void end(Work& work, RedriveTask::State state);
  Work* find(std::uint64_t number);

  DeadLetters& letters_;
  Redrive redrive_;
  Ended ended_;
  std::deque<Work> works_;
  std::unordered_map<std::uint64_t, Watched> watch_;  ///< By sequence: redriven and not ended.
  std::vector<std::uint64_t> redriven_;
  std::uint64_t last_number_ = 0;
};

}  // namespace conga::bus
