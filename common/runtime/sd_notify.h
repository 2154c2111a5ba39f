// SPDX-License-Identifier: Apache-2.0
//
// ServiceManager: tells systemd how the daemon is. The protocol is one datagram to $NOTIFY_SOCKET
// (sd_notify(3)), so libsystemd is not needed. Does nothing outside systemd.

#pragma once

#include "common/core/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace conga {

class ServiceManager {
public:
  /// From $NOTIFY_SOCKET and $WATCHDOG_USEC.
  static ServiceManager from_environment();

  /// `socket` may be empty. `watchdog`: systemd restarts a daemon that is silent for so long.
  ServiceManager(std::string socket, std::optional<Duration> watchdog)
      : socket_(std::move(socket)), watchdog_(watchdog) {}

  void ready() const { notify("READY=1"); }

  void stopping() const { notify("STOPPING=1"); }

  /// Call it every turn: it notifies four times in the watchdog's interval.
  void alive(const Time& now);

  /// How often a turn must come at least for alive() to be in time.
  std::optional<Duration> longest_wait() const;

private:
  void notify(std::string_view state) const;

  std::string socket_;
  std::optional<Duration> watchdog_;
  std::optional<SteadyTime> notified_;
};

}  // namespace conga
