// SPDX-License-Identifier: Apache-2.0
//
// `conga trace`: the whole flow that an event belongs to, as a tree.

#pragma once

#include "cli/bus_command.h"

#include <string>

namespace conga::cli {

class Trace final : public BusCommand {
public:
  /// `subject`: an event id or a correlation-id. `screen` must outlive it.
  Trace(ClientSettings settings, std::string subject, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  std::string subject_;
  Look look_;
};

}  // namespace conga::cli
