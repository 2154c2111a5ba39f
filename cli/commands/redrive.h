// SPDX-License-Identifier: Apache-2.0
//
// `conga dlq redrive`: starts a redrive of dead letters and follows it: a canary first, the others
// at a rate once it is settled, and an end at the first one that fails as it did before. `dlq
// tasks` and `dlq cancel` see and end what was left to run on its own.

#pragma once

#include "cli/bus_command.h"
#include "cli/commands/dlq.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>

namespace conga::cli {

/// What a redrive's answer or one of `dlq.tasks` says, for people:
/// `redrive 3: 120 of 500 dead letters redriven, 118 settled`.
std::string describe_redrive(const Value& task);

class Redrive final : public BusCommand {
public:
  /// `screen` must outlive it.
  Redrive(ClientSettings settings, DlqOptions options, Screen& screen, Look look);

  /// Ctrl-C: cancels the redrive, and ends when the sidecar has said so.
  void drain(const Time& now) override;

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  bool refused(const Time& now, const Answer& answer) override;
  void turn(const Time& now) override;

  std::optional<SteadyTime> due() const override { return next_look_; }

private:
  void look_at(const Time& now, const Value& task);
  bool has_ended(const Value& task) const;
  void conclude(const Value& task);
  void show_progress(const Value& task);
  void hide_progress();

  DlqOptions options_;
  Look look_;
  std::uint64_t task_ = 0;
  std::optional<SteadyTime> next_look_;  ///< When to ask how it goes.
  bool drawn_ = false;
  bool cancelling_ = false;
};

/// `conga dlq tasks` and `conga dlq cancel`.
class RedriveTasks final : public BusCommand {
public:
  /// `screen` must outlive it.
  RedriveTasks(ClientSettings settings, DlqOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  void show(const Value& task);

  DlqOptions options_;
  Look look_;
};

}  // namespace conga::cli
