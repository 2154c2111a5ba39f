// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/redrive.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::cli {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(100);

std::string task_argument(std::uint64_t task, const std::string& by) {
  std::string arguments;
  Packer packer(arguments);
  packer.map(by.empty() ? 1 : 2).key("task").unsigned_integer(task);
  if (!by.empty()) packer.key("by").string(by);
  return arguments;
}

/// `: AcquirerDown: connection refused`; empty if nothing stopped it.
std::string reason_of(const Value& task) {
  const auto stop = task.find("stop");
  if (!stop || !stop->is_map()) return "";
  return text_of(*stop, "code") + ": " + text_of(*stop, "message");
}

/// What has come to an end, of what was redriven.
std::uint64_t ended_of(const Value& task) {
  return count_of(task, "settled") + count_of(task, "dead-lettered");
}

std::uint64_t left_of(const Value& task) {
  const std::uint64_t total = count_of(task, "total");
  return total - std::min(total, count_of(task, "redriven"));
}

std::string counts_of(const Value& task) {
  std::string text = std::to_string(count_of(task, "redriven")) + " of "
                     + counted(count_of(task, "total"), "dead letter") + " redriven, "
                     + std::to_string(count_of(task, "settled")) + " settled";
  if (const auto dead = count_of(task, "dead-lettered"); dead > 0) {
    text += ", " + counted(dead, "dead letter") + " again";
  }
  return text;
}

}  // namespace

std::string describe_redrive(const Value& task) {
  const std::string state = text_of(task, "state");
  const std::string reason = reason_of(task);
  return "redrive " + std::to_string(count_of(task, "task")) + ": " + counts_of(task) + " ("
         + (state == "canary" ? "waiting for the canary" : state) + ")"
         + (reason.empty() ? "" : ": " + reason);
}

// --- redrive ---

Redrive::Redrive(ClientSettings settings, DlqOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void Redrive::begin(const Time& now) {
  ask(now, "dlq.redrive", redrive_arguments(options_, settings().by));
}

void Redrive::answered(const Time& now, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  const auto tasks = result.find("tasks");
  if (!tasks) return look_at(now, result);
  const auto found = tasks->elements();
  if (found.begin() != found.end()) return look_at(now, *found.begin());
  fail_with(ExitCode::Refused,
            "the sidecar was restarted and knows nothing of this redrive any more; what it had not "
            "redriven is still in the queue: conga dlq list");
}

/// It may have ended in the moment when Ctrl-C came.
bool Redrive::refused(const Time& /*now*/, const Answer& /*answer*/) {
  hide_progress();
  return false;
}

void Redrive::look_at(const Time& now, const Value& task) {
  task_ = count_of(task, "task");
  if (options_.detach || cancelling_ || has_ended(task)) return conclude(task);
  show_progress(task);
  next_look_ = now.steady + kLookAgain;
}

bool Redrive::has_ended(const Value& task) const {
  const std::string state = text_of(task, "state");
  if (state == "canary" || state == "redriving") return false;
  return state != "done" || !options_.wait || ended_of(task) >= count_of(task, "redriven");
}

void Redrive::turn(const Time& now) {
  if (!next_look_ || now.steady < *next_look_) return;
  next_look_.reset();
  ask(now, "dlq.tasks", task_argument(task_, {}));
}

void Redrive::drain(const Time& now) {
  if (task_ == 0 || cancelling_) return BusCommand::drain(now);
  cancelling_ = true;
  next_look_.reset();
  ask(now, "dlq.cancel", task_argument(task_, settings().by));
}

void Redrive::conclude(const Value& task) {
  hide_progress();
  next_look_.reset();
  const std::string state = text_of(task, "state");
  const std::uint64_t redriven = count_of(task, "redriven");
  const std::uint64_t refused = count_of(task, "refused");
  if (look_.json) {
    screen().print(to_json(task) + "\n");
  } else if (options_.detach) {
    screen().print("redrive " + std::to_string(task_) + " is under way: conga dlq tasks\n");
  } else {
    // One that stopped says why below; what it had sent out may still be tried.
    const bool stopped = state == "stopped";
    const std::uint64_t dead = stopped ? 0 : count_of(task, "dead-lettered");
    const bool open = !stopped && ended_of(task) < redriven;
    screen().print(counted(redriven, "dead letter") + " redriven, "
                   + std::to_string(count_of(task, "settled")) + " settled"
                   + (open ? " so far" : "")
                   + (dead > 0 ? ", " + counted(dead, "dead letter") + " again" : "") + "\n");
  }
  if (refused > 0) {
    screen().note("conga: " + counted(refused, "dead letter") + " not redriven: " + reason_of(task)
                  + "\n");
  }
  if (state == "stopped") {
    screen().note("conga: stopped, for it failed again: " + reason_of(task) + "\n"
                  + "conga: " + counted(left_of(task), "dead letter")
                  + " left where they were; mend the cause, then redrive again\n");
  }
  const bool nothing = count_of(task, "total") == 0 && !options_.all;
  const bool dead_again = options_.wait && count_of(task, "dead-lettered") > 0;
  const bool well = state != "stopped" && refused == 0 && !nothing && !cancelling_ && !dead_again;
  finish(well ? ExitCode::Done : ExitCode::Refused);
}

void Redrive::show_progress(const Value& task) {
  if (!look_.progress) return;
  const std::string line = describe_redrive(task);
  screen().note("\r\x1b[K" + line.substr(0, look_.width > 0 ? look_.width - 1 : 0));
  drawn_ = true;
}

void Redrive::hide_progress() {
  if (std::exchange(drawn_, false)) screen().note("\r\x1b[K");
}

// --- tasks, cancel ---

RedriveTasks::RedriveTasks(ClientSettings settings, DlqOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void RedriveTasks::begin(const Time& now) {
  if (options_.action == DlqOptions::Action::Cancel) {
    ask(now, "dlq.cancel", task_argument(options_.numbers.front(), settings().by));
    return;
  }
  ask(now, "dlq.tasks");
}

void RedriveTasks::answered(const Time& /*now*/, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  const auto tasks = result.find("tasks");
  if (!tasks) {
    show(result);
  } else {
    std::uint64_t shown = 0;
    for (const Value& task : tasks->elements()) {
      show(task);
      ++shown;
    }
    if (shown == 0) screen().note("no redrives since the sidecar was started\n");
  }
  finish(ExitCode::Done);
}

void RedriveTasks::show(const Value& task) {
  screen().print((look_.json ? to_json(task) : describe_redrive(task)) + "\n");
}

}  // namespace conga::cli
