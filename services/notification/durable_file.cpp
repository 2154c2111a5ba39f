// SPDX-License-Identifier: Apache-2.0

#include "services/notification/durable_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace conga::notification {
namespace {

tl::unexpected<Error> unwritable(const std::string& path, const std::string& why) {
  return fail(Fault::Transient, path + " cannot be written: " + why, "MailboxUnavailable");
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

/// Makes a rename into `folder` survive a power loss.
bool sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return synced;
}

}  // namespace

Result<> make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return unwritable(folder, error.message());
  return {};
}

Result<> write_durably(const std::string& temporary,
                       const std::string& folder,
                       const std::string& name,
                       std::string_view text) {
  const int file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return unwritable(temporary, std::strerror(errno));
  const bool written = write_all(file, text);
  const int error = errno;
  ::close(file);
  if (!written) return unwritable(temporary, std::strerror(error));
  const std::string path = folder + "/" + name;
  if (::rename(temporary.c_str(), path.c_str()) != 0 || !sync_folder(folder)) {
    return unwritable(path, std::strerror(errno));
  }
  return {};
}

}  // namespace conga::notification
