// SPDX-License-Identifier: Apache-2.0
//
// run(): the only loop in the project. It drives a Node against a Transport and a Clock.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/runtime/node.h"
#include "common/runtime/transport.h"

#include <functional>

namespace conga {

struct RunOptions {
  /// After SIGTERM the Node may take this long to finish what it has in hand.
  Duration drain_limit = std::chrono::seconds(10);
  /// Called after each turn (systemd's watchdog); may be empty.
  std::function<void()> after_turn;
};

/// Runs turns until the Node has drained after a stop signal, or `done` says so (may be empty).
/// Returns early only on an error that Node or Transport cannot survive.
Result<> run(Node& node,
             Transport& transport,
             const Clock& clock,
             const RunOptions& options = {},
             const std::function<bool()>& done = {});

}  // namespace conga
