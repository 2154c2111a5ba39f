// SPDX-License-Identifier: Apache-2.0
//
// sd_notify: tells systemd how the daemon is. The protocol is one datagram to $NOTIFY_SOCKET
// (sd_notify(3)), so libsystemd is not needed. Does nothing outside systemd.

#pragma once

#include <string_view>

namespace conga {

/// `READY=1`, `STOPPING=1` or `WATCHDOG=1`.
void sd_notify(std::string_view state);

}  // namespace conga
