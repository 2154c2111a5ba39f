// SPDX-License-Identifier: Apache-2.0

#include "services/notification/maildir.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
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

/// True if a mail reader has taken the message over: `cur/NAME:2,FLAGS`.
bool is_read(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(name)) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Maildir>> Maildir::open(const std::string& path) {
  for (const char* folder : {"tmp", "new", "cur"}) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path) / folder, error);
    if (error) return unwritable(path, error.message());
  }
  return std::unique_ptr<Maildir>(new Maildir(path));
}

Result<> Maildir::deliver(const std::string& key, const std::string& message, Attempt attempt) {
  if (attempt == Attempt::Again && is_read(path_ + "/cur", key)) return {};
  const std::string temporary = path_ + "/tmp/" + key;
  const int file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return unwritable(temporary, std::strerror(errno));
  const bool written = write_all(file, message);
  const int error = errno;
  ::close(file);
  if (!written) return unwritable(temporary, std::strerror(error));
  const std::string final_path = path_ + "/new/" + key;
  if (::rename(temporary.c_str(), final_path.c_str()) != 0 || !sync_folder(path_ + "/new")) {
    return unwritable(final_path, std::strerror(errno));
  }
  return {};
}

}  // namespace conga::notification
