// SPDX-License-Identifier: Apache-2.0
//
// `conga status`: how bus, sidecar and services are. With --await it waits until they are ready,
// which is how scripts wait for a start without sleeping.
//
// Read from the answers: of `sidecar.status` `services: [{service, instances: [{instance, …}]}]`
// and `pending`. All else is shown as it comes.

#pragma once

#include "cli/bus_command.h"
#include "common/wire/event/value.h"

#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

struct StatusOptions {
  std::vector<std::string> await{};              ///< Services that must have a ready instance.
  bool idle = false;                             ///< Wait until no delivery is pending.
  Duration patience = std::chrono::seconds(30);  ///< With await or idle.
};

/// What is not yet as the options want it, for people; empty if nothing.
std::string missing_for(const StatusOptions& options, const Value& sidecar);

/// Both answers for a person; `sidecar` null and `fault` why, if it did not answer.
std::string show_status(const Value& bus,
                        const Value& sidecar,
                        const std::string& fault,
                        const Look& look);

class Status final : public BusCommand {
public:
  /// `screen` must outlive it.
  Status(ClientSettings settings, StatusOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  bool refused(const Time& now, const Answer& answer) override;
  void turn(const Time& now) override;
  std::optional<SteadyTime> due() const override;

private:
  void ask_both(const Time& now);
  void weigh(const Time& now);
  void show();

  bool waits() const { return options_.idle || !options_.await.empty(); }

  StatusOptions options_;
  Look look_;
  std::uint64_t bus_request_ = 0;
  std::optional<std::string> bus_;  ///< The answers of this round.
  std::optional<std::string> sidecar_;
  std::string fault_;  ///< Why the sidecar did not answer.
  std::string missing_ = "no answer";
  SteadyTime deadline_;
  std::optional<SteadyTime> next_round_;
};

}  // namespace conga::cli
