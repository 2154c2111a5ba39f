// SPDX-License-Identifier: Apache-2.0
//
// `conga top`: what a bus does now, rule by rule and target by target, in a terminal; or measured
// once, for a pipe.

#pragma once

#include "cli/bus_command.h"
#include "cli/keyboard.h"
#include "cli/top_view.h"
#include "common/core/clock.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace conga::cli {

struct TopOptions {
  Duration interval = std::chrono::seconds(1);  ///< Between two measurements; at least 200 ms.
  bool once = false;                            ///< Two measurements, one table.
};

class Top final : public BusCommand {
public:
  /// `keyboard` null: as `once`. `screen` must outlive it.
  Top(ClientSettings settings,
      TopOptions options,
      std::unique_ptr<Keyboard> keyboard,
      Screen& screen,
      Look look);
  ~Top() override;

  void drain(const Time& now) override;

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  bool refused(const Time& now, const Answer& answer) override;
  void turn(const Time& now) override;
  std::optional<SteadyTime> due() const override;

private:
  void ask_all(const Time& now);
  void weigh(const Time& now);
  void draw();
  void leave();

  TopOptions options_;
  std::unique_ptr<Keyboard> keyboard_;
  Look look_;
  TopView view_;
  std::uint64_t bus_request_ = 0;
  std::uint64_t rules_request_ = 0;
  std::optional<std::string> bus_;  ///< The answers of this round; so the next two.
  std::optional<std::string> rules_;
  std::optional<std::string> sidecar_;
  SteadyTime next_round_;
  bool asking_ = false;
  bool drawn_ = false;
  SteadyTime next_keys_;
};

}  // namespace conga::cli
