// SPDX-License-Identifier: Apache-2.0
//
// `conga trace`: the whole flow that an event belongs to, as a tree.

#pragma once

#include "cli/bus_command.h"
#include "cli/flow.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

struct TraceOptions {
  std::string subject{};  ///< An event id or a correlation-id.
  bool mermaid = false;   ///< As a sequence diagram.
  bool follow = false;    ///< Waits until the flow is quiet.
};

class Trace final : public BusCommand {
public:
  /// `screen` must outlive it.
  Trace(ClientSettings settings, TraceOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  void turn(const Time& now) override;

  std::optional<SteadyTime> due() const override { return ask_at_; }

private:
  void ask_for_flow(const Time& now);
  bool is_quiet(const std::vector<FlowEvent>& events);
  void show(const Value& result, const std::vector<FlowEvent>& events);

  TraceOptions options_;
  Look look_;
  std::optional<SteadyTime> ask_at_;  ///< With --follow: not before.
  std::size_t events_ = 0;            ///< Of the last answer, if all of it was over.
};

}  // namespace conga::cli
