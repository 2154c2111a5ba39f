// SPDX-License-Identifier: Apache-2.0
//
// OperatorDesk: answers what operators ask and carries out what they want: dead letters looked at,
// redriven and purged, targets paused, traces, and the audit of all that. answers.h says what each
// verb takes and gives.

#pragma once

#include "bus/sidecar/audit_log.h"
#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/paused_targets.h"
#include "bus/sidecar/purges.h"
#include "bus/sidecar/redrive_tasks.h"
#include "bus/sidecar/trace_source.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/log/log.h"
#include "common/wire/messages.h"

#include <optional>
#include <string>
#include <string_view>

namespace conga::bus {

/// All outlive the desk.
struct OperatorStores {
  EventStore& events;
  DeadLetters& letters;
  TraceSource* traces = nullptr;    ///< Null: traces are refused.
  PausedTargets* paused = nullptr;  ///< Null: pauses end with the process.
  AuditLog* audit = nullptr;        ///< Null: there is no audit.
};

class OperatorDesk {
public:
  /// `engine` and `log` must outlive it. `redrive` and `reply` as RedriveTasks and Purges have
  /// them.
  OperatorDesk(OperatorStores stores,
               DeliveryEngine& engine,
               RedriveTasks::Redrive redrive,
               Purges::Reply reply,
               Log& log);

  /// Any verb; `has_table`: the engine knows the rules' targets.
  void ask(const Time& now, const std::string& client, const AskView& ask, bool has_table);

  /// A part of what is under way. An error is fatal.
  Result<> step(const Time& now);

  /// Whether remove_redriven() has something to do.
  bool has_redriven() const { return redrives_.has_redriven(); }

  /// To be called when the journal has synced; letters.sync() commits it. An error is fatal.
  Result<> remove_redriven() { return redrives_.remove_redriven(); }

  std::optional<SteadyTime> wake_at() const;

  /// To be told what becomes of deliveries.
  RedriveTasks& redrives() { return redrives_; }

private:
  Result<std::string> answer(const Time& now,
                             const std::string& client,
                             const AskView& ask,
                             bool has_table);
  Result<std::string> list(const Value& arguments) const;
  Result<std::string> show(const Value& arguments) const;
  std::vector<TracedAttempt> attempts_at(const DeadLetter& letter) const;
  Result<std::string> trace(const Value& arguments) const;
  Result<std::string> redrive(const Time& now, const std::string& client, const AskView& ask);
  Result<std::string> tasks(const Value& arguments) const;
  Result<std::string> cancel(const Time& now, const std::string& client, const AskView& ask);
  Result<std::string> pause(const Time& now,
                            const std::string& client,
                            const AskView& ask,
                            bool has_table);
  Result<std::string> audits(const Value& arguments) const;
  void purge(const Time& now, const std::string& client, const AskView& ask);
  void note(const Time& now,
            const std::string& client,
            const AskView& ask,
            std::string_view outcome);
  void note(AuditEntry entry);
  void on_task_ended(const RedriveTask& task);

  OperatorStores stores_;
  DeliveryEngine& engine_;
  Purges::Reply reply_;
  Log& log_;
  Purges purges_;
  RedriveTasks redrives_;
  Time now_;  ///< Of the step in work.
};

}  // namespace conga::bus
