// SPDX-License-Identifier: Apache-2.0
//
// TopView: what `conga top` shows. Rates out of two answers of a bus, in rows by rule and target
// that can be sorted and filtered by keys, laid out for a terminal of any size. No terminal in it.

#pragma once

#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::cli {

/// Of one target of a rule, as the bus counts it since its start.
struct TargetMeasure {
  std::string service;
  std::string state;
  std::uint64_t pending = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t settled = 0;
  Duration oldest{};  ///< Age of the oldest that is pending; 0: none.
};

/// What the bus said at a moment.
struct Measurement {
  SteadyTime at;
  std::string bus;
  std::uint64_t bus_boot = 0;    ///< Counts of other boots are of other runs.
  std::uint64_t generation = 0;  ///< Matches are counted from the load of the rules on.
  std::string sidecar_since;     ///< Likewise, of the sidecar.
  std::uint64_t accepted = 0;
  std::uint64_t pending = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t dead_letters = 0;
  std::map<std::string, std::size_t> instances;                          ///< By service.
  std::map<std::string, std::uint64_t> matches;                          ///< By rule.
  std::map<std::pair<std::string, std::string>, TargetMeasure> targets;  ///< By rule and target.
};

/// From the answers of `bus.status`, `rules.list` and `sidecar.status`; the last may be null.
Measurement measurement_of(SteadyTime at,
                           const Value& bus,
                           const Value& rules,
                           const Value& sidecar);

/// A line of the view. Rates are a second's; nothing: not known, because a daemon was restarted.
struct TopRow {
  std::string rule;
  std::string target;  ///< Empty: the rule has topics only.
  std::string state;
  std::optional<double> matched{};
  std::optional<double> sent{};
  std::optional<double> settled{};
  std::optional<double> retried{};
  std::uint64_t pending = 0;
  Duration oldest{};
  std::size_t instances = 0;
};

class TopView {
public:
  enum class Sort : std::uint8_t { Rate, Backlog, Oldest, Retries, Name };

  void take(Measurement measurement);

  /// Two measurements were taken.
  bool is_ready() const { return before_.has_value() && now_.has_value(); }

  /// What was typed. False: it means quit.
  bool press(char key);

  /// Filtered and sorted.
  std::vector<TopRow> rows() const;

  /// Lines that fill at most `height`, the last of them without its end.
  std::string draw(std::size_t height, const Look& look) const;

  /// The rows without keys and limits, for a pipe.
  std::string text(const Look& look) const;

  /// One JSON object.
  std::string json() const;

private:
  void press_in_filter(char key);
  std::optional<double> rate(std::uint64_t now, std::uint64_t before, bool same_run) const;
  std::string heading() const;

  std::optional<Measurement> before_;
  std::optional<Measurement> now_;
  Sort sort_ = Sort::Rate;
  std::string filter_;
  bool typing_ = false;  ///< Keys belong to the filter.
};

}  // namespace conga::cli
