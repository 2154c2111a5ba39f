// SPDX-License-Identifier: Apache-2.0
//
// `conga tap`: shows events as they pass, whether or not a rule wants them. A tap that is too slow
// misses events and holds nobody up.

#pragma once

#include "cli/bus_command.h"
#include "cli/event_filter.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>

namespace conga::cli {

struct TapOptions {
  std::string pattern{};    ///< JSON, or `@file`; empty: every event.
  std::string topic{};      ///< Of a rule's `topic:` target; empty: all accepted events.
  std::uint64_t count = 0;  ///< End after so many; 0: at Ctrl-C.
};

class Tap final : public BusCommand {
public:
  /// `screen` must outlive it.
  Tap(ClientSettings settings,
      const TapOptions& options,
      EventFilter filter,
      Screen& screen,
      Look look);

protected:
  void begin(const Time& now) override;
  void take(const Time& now, Frame& frame) override;

private:
  void show(const Value& event);

  std::string topic_;
  std::uint64_t count_;
  EventFilter filter_;
  Look look_;
  std::uint64_t shown_ = 0;
};

}  // namespace conga::cli
