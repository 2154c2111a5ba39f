// SPDX-License-Identifier: Apache-2.0
//
// `conga why`: why an event matches a rule or does not: the field and the condition that failed,
// with the values found; or all rules, the nearest misses first. Needs no bus.

#pragma once

#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/io/files.h"

#include <string>
#include <vector>

namespace conga::cli {

struct WhyOptions {
  std::string event{};               ///< An id in the journal, JSON, or `@file`.
  std::string rule{};                ///< Empty: all of them.
  std::vector<std::string> rules{};  ///< The rule files.
  std::string journal{};             ///< Where an event id is looked for.
};

/// Why these options cannot be carried out; empty if they can.
std::string fault_of(const WhyOptions& options);

/// Done: the rule matches, or without a rule any does. Refused: it does not, or there is no such
/// event or rule.
ExitCode explain_event(Files& files, const WhyOptions& options, Screen& screen, Look look);

}  // namespace conga::cli
