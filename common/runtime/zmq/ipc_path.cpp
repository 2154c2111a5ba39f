// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/zmq/ipc_path.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace conga {
namespace {

/// sun_path without its terminating zero: 107 on Linux.
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

/// "process 4711", as the owner wrote it into its lock.
std::string holder_of(int lock) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  if (size <= 0) return "another process";
  return "process " + std::string(text.data(), static_cast<std::size_t>(size));
}

/// Only for holder_of(): nothing depends on its success.
void write_holder(int lock) {
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(lock, pid.data(), pid.size(), 0);
}

Result<> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!folder.empty() && std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (!error) return {};
  return fail(
      Fault::Transient, folder.string() + " cannot be made: " + error.message(), "Unwritable");
}

}  // namespace

Result<std::unique_ptr<IpcPath>> IpcPath::own(const std::string& path) {
  if (path.size() > kMaxPath) {
    return fail(Fault::Permanent,
                "ipc://" + path + " is too long for a socket: at most " + std::to_string(kMaxPath)
                    + " bytes, choose a shorter path",
                "InvalidEndpoint");
  }
  if (auto made = make_folder(std::filesystem::path(path).parent_path()); !made) {
    return made.failure();
  }
  const std::string lock_path = path + ".lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return fail(
        Fault::Transient, lock_path + " cannot be opened: " + std::strerror(errno), "Unwritable");
  }
  auto owner = std::unique_ptr<IpcPath>(new IpcPath(lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return fail(
        Fault::Transient,
        "ipc://" + path + " is in use by " + holder_of(lock) + ": stop it, or choose another path",
        "InUse");
  }
  write_holder(lock);
  ::unlink(path.c_str());
  return owner;
}

IpcPath::~IpcPath() {
  ::close(lock_);
}

}  // namespace conga
