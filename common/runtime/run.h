// SPDX-License-Identifier: Apache-2.0
//
// run(): the only loop in the project. It drives a Node against a Transport and a Clock.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/runtime/node.h"
#include "common/runtime/transport.h"

#include <cstdint>
#include <functional>

namespace conga {

struct RunOptions {
  /// After SIGTERM the Node may take this long to finish what it has in hand.
  Duration drain_limit = std::chrono::seconds(10);
  /// A turn comes at least this often, even if the Node asks for none: after_turn relies on it.
  Duration longest_wait = std::chrono::seconds(1);
  /// Called after each turn (systemd's watchdog); may be empty.
  std::function<void(const Time& now)> after_turn = {};
};

/// How the loop ended, if not by an error.
enum class RunEnd : std::uint8_t {
  Done,         ///< `done` said so.
  Drained,      ///< After a stop signal, with nothing left in hand.
  CutShort,     ///< The drain limit passed before that.
  Interrupted,  ///< A second stop signal came before that.
};

/// Runs turns until the Node has drained after a stop signal, or `done` says so (may be empty).
/// Returns early only on a second stop signal, or on an error that Node or Transport cannot
/// survive.
Result<RunEnd> run(Node& node,
                   Transport& transport,
                   const Clock& clock,
                   const RunOptions& options = {},
                   const std::function<bool()>& done = {});

}  // namespace conga
