// SPDX-License-Identifier: Apache-2.0
//
// Thin over the system calls: every loop here is about EINTR and short reads and writes.

#include "common/io/posix_files.h"

#include "common/core/check.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
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

/// Memory that the disk can read from directly, zeros at first.
class Staging {
public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kSize = std::size_t{1} << 20U;

  char* data() {
    if (memory_) return memory_.get();
    memory_.reset(static_cast<char*>(std::aligned_alloc(kPage, kSize)));
    CONGA_CHECK(memory_ != nullptr, "no memory for writing");
    std::fill_n(memory_.get(), kSize, '\0');
    return memory_.get();
  }

private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };

  std::unique_ptr<char, Free> memory_;
};

constexpr std::uint64_t page_of(std::uint64_t offset) {
  return offset / Staging::kPage * Staging::kPage;
}

/// Zeros and much at the end go around the page cache (O_DIRECT) where the file system can: a
/// journal is read back from memory, so that filling fresh pages of the cache with it would cost
/// more than all else that is done to an event.
class PosixFile final : public File {
public:
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<char> out) override {
    // Much at once is a recovery or a follower that is far behind: nobody reads it twice.
    if (out.size() >= kMuch && go_direct()) return read_pages(offset, out);
    return read_with(descriptor_, offset, out);
  }

  Result<> write(std::uint64_t offset, std::string_view bytes) override {
    forget_tail(offset, bytes.size());
    return write_with(descriptor_, offset, bytes);
  }

  Result<> write_zeros(std::uint64_t offset, std::uint64_t size) override {
    forget_tail(offset, size);
    const bool aligned = offset % Staging::kPage == 0 && size % Staging::kPage == 0;
    const Descriptor& file = aligned && go_direct() ? *direct_ : descriptor_;
    while (size > 0) {
      const auto step = std::min<std::uint64_t>(size, Staging::kSize);
      if (auto put = write_with(file, offset, {zeros_.data(), step}); !put) return put;
      offset += step;
      size -= step;
    }
    return {};
  }

  Result<> write_end(std::uint64_t offset, std::string_view bytes, std::size_t zeros) override {
    // A small one is quicker through the cache, and is soon read from there by who follows.
    if (bytes.size() < kWorthIt || !go_direct()) {
      return write(offset, std::string(bytes).append(zeros, '\0'));
    }
    // The beginning of the first page is written again, as it is.
    const std::size_t before = offset % Staging::kPage;
    if (before > 0 && (!tail_known_ || tail_ != page_of(offset))) {
      tail_known_ = false;
      const auto got = read(page_of(offset), std::span(tail_bytes_).first(before));
      if (!got) return got.failure();
      std::fill(tail_bytes_.begin() + static_cast<std::ptrdiff_t>(*got), tail_bytes_.end(), '\0');
    }
    std::string_view head(tail_bytes_.data(), before);
    return write_pages(page_of(offset), bytes, head, zeros);
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
  static constexpr std::size_t kWorthIt = std::size_t{32} << 10U;
  static constexpr std::size_t kMuch = std::size_t{256} << 10U;

  Result<std::size_t> read_with(const Descriptor& file, std::uint64_t offset, std::span<char> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got =
          ::pread(file.number(), out.data() + done, out.size() - done, file_offset(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_failure(path_, "read", errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<std::size_t> read_pages(std::uint64_t offset, std::span<char> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::uint64_t from = page_of(offset + done);
      const std::size_t before = offset + done - from;
      const std::size_t wanted = std::min(Staging::kSize, pages(before + out.size() - done));
      // One call: behind a short count is the end of the file, and no page begins there.
      const ssize_t got = ::pread(direct_->number(), staging_.data(), wanted, file_offset(from));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_failure(path_, "read", errno);
      const std::size_t there = std::min<std::size_t>(static_cast<std::size_t>(got), wanted);
      if (there <= before) break;
      const std::size_t taken = std::min(there - before, out.size() - done);
      std::copy_n(staging_.data() + before, taken, out.begin() + static_cast<std::ptrdiff_t>(done));
      done += taken;
      if (there < wanted) break;
    }
    return done;
  }

  static constexpr std::size_t pages(std::size_t size) {
    return (size + Staging::kPage - 1) / Staging::kPage * Staging::kPage;
  }

  /// A write to the page that is known makes it unknown.
  void forget_tail(std::uint64_t offset, std::uint64_t size) {
    if (offset < tail_ + Staging::kPage && offset + size > tail_) tail_known_ = false;
  }

  Result<> write_with(const Descriptor& file, std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(file.number(), bytes.data(), bytes.size(), file_offset(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return os_failure(path_, "write", errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  /// The file once more, opened for direct access. False: this file system has none, or is one that
  /// lets a file be opened for it and then refuses.
  bool go_direct() {
    if (direct_tried_) return direct_.has_value();
    direct_tried_ = true;
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_.number());
    const int mode = ::fcntl(descriptor_.number(), F_GETFL) & O_ACCMODE;
    Descriptor direct = open_descriptor(self, mode | O_DIRECT);
    if (!direct.open() || ::pread(direct.number(), staging_.data(), Staging::kPage, 0) < 0) {
      return false;
    }
    direct_.emplace(std::move(direct));
    return true;
  }

  /// `head`, `bytes` and `zeros` from the page at `offset` on, and zeros up to the end of the last
  /// page.
  Result<> write_pages(std::uint64_t offset,
                       std::string_view bytes,
                       std::string_view head,
                       std::size_t zeros) {
    char* const staged = staging_.data();
    std::copy(head.begin(), head.end(), staged);
    std::size_t filled = head.size();
    while (filled > 0 || !bytes.empty() || zeros > 0) {
      const std::size_t taken = std::min(bytes.size(), Staging::kSize - filled);
      std::copy_n(bytes.data(), taken, staged + filled);
      bytes.remove_prefix(taken);
      filled += taken;
      const std::size_t behind = bytes.empty() ? std::min(zeros, Staging::kSize - filled) : 0;
      zeros -= behind;
      const std::size_t whole = pages(filled + behind);
      std::fill(staged + filled, staged + whole, '\0');
      auto put = write_with(*direct_, offset, {staged, whole});
      if (!put) return put;
      // The page in which the bytes end is what the next write begins in.
      const std::size_t page =
          std::min(filled / Staging::kPage * Staging::kPage, whole - Staging::kPage);
      tail_ = offset + page;
      std::copy_n(staged + page, Staging::kPage, tail_bytes_.begin());
      tail_known_ = true;
      offset += whole;
      filled = 0;
    }
    return {};
  }

  const std::string path_;
  const Descriptor descriptor_;
  std::optional<Descriptor> direct_;
  bool direct_tried_ = false;
  Staging staging_;
  Staging zeros_;                                  ///< Never written to.
  std::array<char, Staging::kPage> tail_bytes_{};  ///< The page written last, if known.
  std::uint64_t tail_ = 0;                         ///< Where it is.
  bool tail_known_ = false;
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
