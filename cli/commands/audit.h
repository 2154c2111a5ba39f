// SPDX-License-Identifier: Apache-2.0
//
// `conga audit`: which operator changed what, when, and what came of it.

#pragma once

#include "cli/bus_command.h"
#include "common/wire/event/value.h"

#include <cstdint>

namespace conga::cli {

struct AuditOptions {
  std::uint64_t limit = 50;  ///< 1 to 1000: the newest so many.
};

class Audit final : public BusCommand {
public:
  /// `screen` must outlive it.
  Audit(ClientSettings settings, AuditOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  AuditOptions options_;
  Look look_;
};

}  // namespace conga::cli
