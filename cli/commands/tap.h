// SPDX-License-Identifier: Apache-2.0
//
// `conga tap`: shows events as they pass, whether or not a rule wants them. A tap that is too slow
// misses events and holds nobody up.

#pragma once

#include "cli/bus_command.h"
#include "cli/event_filter.h"
#include "cli/line_source.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace conga::cli {

struct TapOptions {
  std::string pattern{};    ///< JSON, or `@file`; empty: every event.
  std::string topic{};      ///< Of a rule's `topic:` target; empty: all accepted events.
  std::uint64_t count = 0;  ///< End after so many; 0: at Ctrl-C.
  std::string since{};      ///< `24h` ago, or RFC 3339: begin with what the archive has from then.
  std::string journal{};    ///< With since: the sidecar's journal.directory.
  bool follow = false;      ///< With since: go on with what comes. Without: always.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const TapOptions& options);

/// The past of a tap, by pattern and time: an event of the archive a line, as JSON.
Result<std::unique_ptr<LineSource>> open_past(const TapOptions& options, const Clock& clock);

class Tap final : public BusCommand {
public:
  /// `screen` must outlive it.
  /// `past`: what is shown before the first live event; may be null.
  Tap(ClientSettings settings,
      const TapOptions& options,
      EventFilter filter,
      std::unique_ptr<LineSource> past,
      Screen& screen,
      Look look);

protected:
  void begin(const Time& now) override;
  void take(const Time& now, Frame& frame) override;
  void answered(const Time& now, const Answer& answer) override;
  bool refused(const Time& now, const Answer& answer) override;
  void turn(const Time& now) override;
  std::optional<SteadyTime> due() const override;

private:
  enum class Stage : std::uint8_t { Settling, Past, Live };

  void read_past();
  void end_past();
  void take_event(const Value& event);
  bool was_shown(const Value& event) const;
  void show(const Value& event);

  std::string topic_;
  std::uint64_t count_;
  EventFilter filter_;
  Look look_;
  std::uint64_t shown_ = 0;
  std::unique_ptr<LineSource> past_;
  Stage stage_ = Stage::Live;
  bool follow_ = true;
  bool past_waits_ = false;  ///< The archive's reader has nothing yet.
  SteadyTime now_;
  std::vector<std::string> live_;                ///< Came while the past is being shown.
  std::set<std::string, std::less<>> past_ids_;  ///< The newest of the past.
  std::deque<std::string> past_order_;           ///< Of past_ids_, oldest first.
};

}  // namespace conga::cli
