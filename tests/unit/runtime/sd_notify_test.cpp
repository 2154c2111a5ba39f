// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/sd_notify.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using conga::ServiceManager;
using conga::Time;
using namespace std::chrono_literals;

namespace {

/// The service manager's end of the socket.
class Listener {
public:
  Listener() {
    std::string name = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path = folder_ + "/notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  ~Listener() {
    ::close(socket_);
    std::filesystem::remove_all(folder_);
  }

  /// Empty if nothing came.
  std::string take() const {
    std::array<char, 64> text{};
    const ssize_t size = ::recv(socket_, text.data(), text.size(), 0);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
  }

  std::string path;

private:
  std::string folder_;
  int socket_ = -1;
};

}  // namespace

TEST_CASE("the service manager is told that the daemon is ready and that it stops") {
  const Listener listener;
  const ServiceManager manager(listener.path, std::nullopt);
  manager.ready();
  manager.stopping();
  CHECK(listener.take() == "READY=1");
  CHECK(listener.take() == "STOPPING=1");
}

TEST_CASE("the watchdog hears of it four times in its interval, however many turns there are") {
  const Listener listener;
  ServiceManager manager(listener.path, 10s);
  CHECK(manager.longest_wait() == 2500ms);
  Time now;
  int heard = 0;
  for (int turn = 0; turn < 100; ++turn) {
    manager.alive(now);
    heard += listener.take() == "WATCHDOG=1" ? 1 : 0;
    now.steady += 100ms;
  }
  CHECK(heard == 4);
}

TEST_CASE("without a service manager nothing happens") {
  ServiceManager manager("", std::nullopt);
  manager.ready();
  manager.alive(Time());
  CHECK_FALSE(manager.longest_wait());
  ServiceManager("/nowhere/notify", 1s).ready();
}
