// SPDX-License-Identifier: Apache-2.0
//
// `conga rules`: checks rule files and tries patterns without a bus; lists and reloads a bus's
// rules.

#pragma once

#include "cli/bus_command.h"
#include "common/core/clock.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

struct RulesOptions {
  enum class Action : std::uint8_t {
    Check,
    List,
    Test,
    Flow,
    Lint,
    Diff,
    Stats,
    Reload,
    Apply,
    Rollback,
    Versions,
  };

  Action action = Action::List;
  std::vector<std::string> files{};  ///< Check, Flow, Lint, Stats; Diff, Apply: the new ones.
  bool aws = false;                  ///< Check: warn of what Amazon EventBridge would refuse.
  std::string pattern{};             ///< Test: JSON or `@file`; so the next.
  std::string event{};
  bool explain = false;  ///< Test: say which condition failed first, and on what.
  std::string cases{};   ///< Test: a file of JSON lines, or `-`.
  std::vector<std::string>
      manifests{};                     ///< Flow, Lint: files that services' `--manifest` has made.
  bool mermaid = false;                ///< Flow.
  bool strict = false;                 ///< Lint: notes are errors.
  std::vector<std::string> against{};  ///< Diff: the files of the rules as they are.
  std::string journal{};               ///< Diff, Stats: the sidecar's journal.directory.
  std::optional<Duration> since{};     ///< Diff, Stats: only events of so long ago.
  bool dry_run = false;                ///< Apply: let the bus check it, and change nothing.
  std::uint64_t version = 0;           ///< Rollback; Versions: show its text. 0: none.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const RulesOptions& options);

/// The bus's rules, each with its pattern and targets.
std::string list_rules(const Value& answer, const Look& look);

/// List and Reload, which ask a bus.
class Rules final : public BusCommand {
public:
  /// `screen` must outlive it.
  Rules(ClientSettings settings, RulesOptions::Action action, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  RulesOptions::Action action_;
  Look look_;
};

}  // namespace conga::cli
