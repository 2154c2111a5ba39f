// SPDX-License-Identifier: Apache-2.0
//
// `conga target`: stops what goes to a target for a while, and lets it go on.

#pragma once

#include "cli/bus_command.h"

#include <cstdint>
#include <string>

namespace conga::cli {

struct TargetOptions {
  enum class Action : std::uint8_t { Pause, Resume };

  Action action = Action::Pause;
  std::string name{};
  std::string rule{};  ///< Empty: every rule's target of that name.
};

class Target final : public BusCommand {
public:
  /// `screen` must outlive it.
  Target(ClientSettings settings, TargetOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  TargetOptions options_;
  Look look_;
};

}  // namespace conga::cli
