// SPDX-License-Identifier: Apache-2.0
//
// `conga rules apply`, `rollback` and `versions`: changes the rules of a running bus, with a look
// at what changes first, and back.

#pragma once

#include "bus/rules/rule_set.h"
#include "cli/bus_command.h"
#include "cli/commands/rules.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::cli {

/// How rules differ by name, pattern and targets: `added`, `removed` or `changed`, in that order.
struct RulesChanges {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;

  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

/// Of two `rules.list` answers, expectations among them.
RulesChanges changes_between(const Value& now, const Value& then);

class RulesChange final : public BusCommand {
public:
  /// `text`: Apply's rules file, which was read and checked. `screen` must outlive it.
  RulesChange(
      ClientSettings settings, RulesOptions options, std::string text, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  bool refused(const Time& now, const Answer& answer) override;

private:
  enum class Step : std::uint8_t { Before, Change, After, Versions };

  void change(const Time& now);
  void report(const Value& after);
  void show_versions(const Value& versions);

  RulesOptions options_;
  std::string text_;
  Look look_;
  Step step_ = Step::Before;
  std::string before_;  ///< The `rules.list` answer.
  std::string change_;  ///< What the bus said to the change.
};

}  // namespace conga::cli
