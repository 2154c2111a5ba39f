// SPDX-License-Identifier: Apache-2.0
//
// Thin over the system calls: every loop here is about EINTR and short reads and writes.

#include "common/io/posix_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace conga {
namespace {

/// What the last system call on `path` failed with.
tl::unexpected<Error> os_failure(const std::string& path, std::string_view action, int error) {
  const std::string what =
      path + ": cannot " + std::string(action) + ": " + std::string(::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return fail(Fault::Transient, what, "DiskFull");
  if (error == ENOENT) return fail(Fault::Permanent, what, "NotFound");
  return fail(Fault::Permanent, what);
}

/// A file descriptor, closed with its owner.
class Descriptor {
public:
  explicit Descriptor(int number) : number_(number) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  Descriptor& operator=(Descriptor&&) = delete;

  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }

  bool open() const { return number_ >= 0; }

private:
  int number_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  while (true) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (number >= 0 || errno != EINTR) return Descriptor(number);
  }
}

off_t file_offset(std::uint64_t offset) {
  return static_cast<off_t>(offset);
}

class PosixFile final : public File {
public:
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(
          descriptor_.number(), out.data() + done, out.size() - done, file_offset(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_failure(path_, "read", errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), file_offset(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return os_failure(path_, "write", errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  Result<> sync() override {
    // Not repeated on EINTR either: Linux never returns it here, and a repeat could hide a loss.
    if (::fdatasync(descriptor_.number()) != 0) return os_failure(path_, "sync", errno);
    return {};
  }

  void write_back(std::uint64_t offset, std::uint64_t size) override {
    ::sync_file_range(
        descriptor_.number(), file_offset(offset), file_offset(size), SYNC_FILE_RANGE_WRITE);
  }

  Result<std::uint64_t> size() override {
    struct stat status {};

    if (::fstat(descriptor_.number(), &status) != 0) return os_failure(path_, "stat", errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<> resize(std::uint64_t size) override {
    if (::ftruncate(descriptor_.number(), file_offset(size)) != 0) {
      return os_failure(path_, "resize", errno);
    }
    return {};
  }

private:
  const std::string path_;
  const Descriptor descriptor_;
};

class PosixLock final : public FileLock {
public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

private:
  const Descriptor descriptor_;
};

Result<std::unique_ptr<FileLock>> refuse_lock(const std::string& path, const Descriptor& file) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(file.number(), text.data(), text.size() - 1, 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  holder.resize(std::min(holder.size(), holder.find_first_not_of("0123456789")));
  if (holder.empty()) holder = "(unknown)";
  return fail(Fault::Permanent, path + ": locked by process " + holder + ", which runs", "Locked");
}

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<File>> PosixFiles::open(const std::string& path, OpenMode mode) {
  const int flags = mode == OpenMode::Read        ? O_RDONLY
                    : mode == OpenMode::ReadWrite ? O_RDWR
                                                  : O_RDWR | O_CREAT | O_EXCL;
  Descriptor descriptor = open_descriptor(path, flags);
  if (!descriptor.open()) return os_failure(path, "open", errno);
  return std::make_unique<PosixFile>(path, std::move(descriptor));
}

Result<> PosixFiles::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(parent_of(path));
  if (errno == EEXIST) {
    struct stat status {};

    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
    return os_failure(path, "make directory", ENOTDIR);
  }
  const std::string parent = parent_of(path);
  if (errno != ENOENT || parent == path) return os_failure(path, "make directory", errno);
  if (auto made = make_directory(parent); !made) return made.failure();
  if (::mkdir(path.c_str(), 0700) != 0) return os_failure(path, "make directory", errno);
  return sync_directory(parent);
}

Result<std::vector<std::string>> PosixFiles::list(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (!stream) return os_failure(directory, "list", errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name(&entry->d_name[0]);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<> PosixFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_failure(from, "rename to " + to, errno);
  return {};
}

Result<> PosixFiles::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return os_failure(path, "remove", errno);
  return {};
}

Result<> PosixFiles::sync_directory(const std::string& directory) {
  const Descriptor descriptor = open_descriptor(directory, O_RDONLY | O_DIRECTORY);
  if (!descriptor.open()) return os_failure(directory, "open", errno);
  if (::fsync(descriptor.number()) != 0) return os_failure(directory, "sync", errno);
  return {};
}

Result<std::unique_ptr<FileLock>> PosixFiles::lock(const std::string& path) {
  Descriptor descriptor = open_descriptor(path, O_RDWR | O_CREAT);
  if (!descriptor.open()) return os_failure(path, "open", errno);
  if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return refuse_lock(path, descriptor);
    return os_failure(path, "lock", errno);
  }
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor.number(), 0) != 0
      || ::pwrite(descriptor.number(), holder.data(), holder.size(), 0)
             != static_cast<ssize_t>(holder.size())) {
    return os_failure(path, "write the process id to", errno);
  }
  return std::make_unique<PosixLock>(std::move(descriptor));
}

}  // namespace conga
