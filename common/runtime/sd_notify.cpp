// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/sd_notify.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace conga {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  const std::string text = variable("WATCHDOG_USEC");
  Duration::rep microseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), microseconds);
  std::optional<Duration> watchdog;
  if (microseconds > 0) watchdog = Duration(microseconds);
  return {variable("NOTIFY_SOCKET"), watchdog};
}

void ServiceManager::alive(const Time& now) {
  if (!watchdog_ || (notified_ && now.steady - *notified_ < *watchdog_ / 4)) return;
  notified_ = now.steady;
  notify("WATCHDOG=1");
}

std::optional<Duration> ServiceManager::longest_wait() const {
  if (!watchdog_) return std::nullopt;
  return *watchdog_ / 4;
}

void ServiceManager::notify(std::string_view state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  std::ranges::copy(socket_, address.sun_path);
  if (socket_.front() == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  static_cast<void>(::sendto(descriptor,
                             state.data(),
                             state.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&address),
                             size));
  ::close(descriptor);
}

}  // namespace conga
