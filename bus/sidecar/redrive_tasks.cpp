// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/redrive_tasks.h"

#include <algorithm>

namespace conga::bus {
namespace {

using State = RedriveTask::State;

constexpr std::size_t kMostUnderWay = 16;
constexpr std::size_t kTasksKept = 64;
constexpr std::size_t kLettersPerTurn = 200;

/// Beyond so many redriven deliveries that have not ended, further ones are not watched.
constexpr std::size_t kMostWatched = 1'000'000;

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::Canary:
      return "canary";
    case State::Redriving:
      return "redriving";
    case State::Done:
      return "done";
    case State::Stopped:
      return "stopped";
    case State::Cancelled:
      return "cancelled";
  }
  return "";
}

Result<RedriveTask> RedriveTasks::start(const Time& now,
                                        const std::string& client,
                                        std::uint64_t request,
                                        RedriveRequest what) {
  const auto same = [&](const Work& work) {
    return work.task.client == client && work.request == request;
  };
  if (const auto known = std::ranges::find_if(works_, same); known != works_.end()) {
    return known->task;
  }
  const auto under_way = [](const Work& work) { return !work.task.has_ended(); };
  if (std::ranges::count_if(works_, under_way) >= std::ptrdiff_t{kMostUnderWay}) {
    return fail(Fault::Transient,
                "other redrives are under way: ask again (`conga dlq tasks` shows them)",
                "Busy");
  }
  const auto total = letters_.count(what.filter);
  if (!total) return total.failure();
  RedriveTask task;
  task.number = ++last_number_;
  // A single dead letter is a canary of its own; what follows it would be nothing.
  task.state = what.canaries > 0 && *total > 1 ? State::Canary : State::Redriving;
  task.request = std::move(what);
  task.client = client;
  task.asked = now.wall;
  task.total = *total;
  works_.push_back({.task = task, .request = request, .paced_since = now.steady});
  const auto ended = [](const Work& work) { return work.task.has_ended(); };
  if (works_.size() > kTasksKept) {
    if (const auto old = std::ranges::find_if(works_, ended); old != works_.end())
      works_.erase(old);
  }
  return task;
}

std::vector<RedriveTask> RedriveTasks::list(std::uint64_t number) const {
  std::vector<RedriveTask> tasks;
  for (const Work& work : works_) {
    if (number == 0 || work.task.number == number) tasks.push_back(work.task);
  }
  return tasks;
}

std::optional<RedriveTask> RedriveTasks::cancel(std::uint64_t number) {
  Work* const work = find(number);
  if (work == nullptr) return std::nullopt;
  if (!work->task.has_ended()) end(*work, State::Cancelled);
  return work->task;
}

Result<> RedriveTasks::step(const Time& now) {
  for (Work& work : works_) {
    if (work.task.has_ended()) continue;
    if (auto stepped = step(now, work); !stepped) return stepped;
  }
  return {};
}

Result<> RedriveTasks::step(const Time& now, Work& work) {
  RedriveTask& task = work.task;
  if (awaits_canaries(work)) return {};
  const bool canaries_sent = task.redriven >= task.request.canaries || work.out_of_letters;
  if (task.state == State::Canary && canaries_sent) {
    task.state = State::Redriving;
    work.paced_since = now.steady;
  }
  if (!work.out_of_letters) {
    const std::size_t most = task.state == State::Canary
                                 ? std::size_t{task.request.canaries - task.redriven}
                                 : allowance(now, work);
    if (auto redriven = redrive_some(work, std::min(most, kLettersPerTurn)); !redriven) {
      return redriven;
    }
  }
  if (work.out_of_letters && task.state == State::Redriving) end(work, State::Done);
  return {};
}

/// All canaries are out, and not all have been settled.
bool RedriveTasks::awaits_canaries(const Work& work) {
  const RedriveTask& task = work.task;
  if (task.state != State::Canary) return false;
  const bool all_out = task.redriven >= task.request.canaries || work.out_of_letters;
  return all_out && task.settled < task.redriven;
}

std::size_t RedriveTasks::allowance(const Time& now, const Work& work) {
  const std::uint32_t rate = work.task.request.rate;
  if (rate == 0) return kLettersPerTurn;
  const std::chrono::duration<double> passed = now.steady - work.paced_since;
  const auto due = static_cast<std::uint64_t>(passed.count() * rate) + 1;
  return due > work.paced ? due - work.paced : 0;
}

Result<> RedriveTasks::redrive_some(Work& work, std::size_t most) {
  if (most == 0) return {};
  DeadLetterFilter& filter = work.task.request.filter;
  filter.limit = most;
  const auto letters = letters_.list(filter);
  if (!letters) return letters.failure();
  work.out_of_letters = letters->size() < most;
  for (const DeadLetter& letter : *letters) {
    // Numbers ascend, so all that follow came later too: a poison event that is redriven and comes
    // back must not be redriven for ever.
    if (letter.at > work.task.asked) {
      work.out_of_letters = true;
      return {};
    }
    filter.after = letter.number;
    if (auto redriven = redrive_one(work, letter); !redriven) return redriven;
    if (work.task.has_ended()) return {};
  }
  return {};
}

Result<> RedriveTasks::redrive_one(Work& work, const DeadLetter& letter) {
  RedriveTask& task = work.task;
  const auto sequence = redrive_(letter);
  if (sequence) {
    ++task.redriven;
    if (task.state == State::Redriving) ++work.paced;
    redriven_.push_back(letter.number);
    if (watch_.size() >= kMostWatched) return {};
    watch_[*sequence] = {.task = task.number,
                         .letter = letter.number,
                         .event_id = letter.event_id,
                         .code = letter.error_code};
    return {};
  }
  const Error& error = sequence.error();
  if (error.code == "TargetRemoved") {
    ++task.refused;
    task.stop = {.letter = letter.number,
                 .event_id = letter.event_id,
                 .code = error.code,
                 .message = error.what};
    return {};
  }
  if (error.fault != Fault::Transient) return sequence.failure();
  task.stop = {.letter = 0, .event_id = {}, .code = error.code, .message = error.what};
  end(work, State::Stopped);
  return {};
}

void RedriveTasks::on_settled(std::uint64_t sequence) {
  const auto found = watch_.find(sequence);
  if (found == watch_.end()) return;
  if (Work* const work = find(found->second.task)) ++work->task.settled;
  watch_.erase(found);
}

void RedriveTasks::on_retry(std::uint64_t sequence,
                            const std::string& code,
                            const std::string& message) {
  const auto found = watch_.find(sequence);
  if (found != watch_.end()) on_failure(found->second, code, message);
}

void RedriveTasks::on_dead(std::uint64_t sequence,
                           const std::string& code,
                           const std::string& message) {
  const auto found = watch_.find(sequence);
  if (found == watch_.end()) return;
  if (Work* const work = find(found->second.task)) ++work->task.dead;
  on_failure(found->second, code, message);
  watch_.erase(found);
}

/// A canary must succeed; among the others only the old cause is reason to stop, for another says
/// that this one is gone.
void RedriveTasks::on_failure(const Watched& watched,
                              const std::string& code,
                              const std::string& message) {
  Work* const work = find(watched.task);
  if (work == nullptr || work->task.has_ended()) return;
  const bool canary = work->task.state == State::Canary;
  const bool alone = work->task.total == 1;
  if (!canary && (alone || code != watched.code)) return;
  work->task.stop = {
      .letter = watched.letter, .event_id = watched.event_id, .code = code, .message = message};
  end(*work, State::Stopped);
}

void RedriveTasks::end(Work& work, State state) {
  work.task.state = state;
  ended_(work.task);
}

Result<> RedriveTasks::remove_redriven() {
  for (const std::uint64_t number : redriven_) {
    if (auto removed = letters_.remove(number); !removed) return removed;
  }
  redriven_.clear();
  return {};
}

std::optional<SteadyTime> RedriveTasks::wake_at() const {
  std::optional<SteadyTime> next;
  for (const Work& work : works_) {
    if (work.task.has_ended() || awaits_canaries(work)) continue;
    SteadyTime when{};
    if (work.task.request.rate > 0 && work.task.state == State::Redriving) {
      const std::chrono::duration<double> due(static_cast<double>(work.paced)
                                              / work.task.request.rate);
      when = work.paced_since + std::chrono::ceil<Duration>(due);
    }
    next = next ? std::min(*next, when) : when;
  }
  return next;
}

RedriveTasks::Work* RedriveTasks::find(std::uint64_t number) {
  const auto found = std::ranges::find_if(
      works_, [number](const Work& work) { return work.task.number == number; });
  return found == works_.end() ? nullptr : &*found;
}

}  // namespace conga::bus
