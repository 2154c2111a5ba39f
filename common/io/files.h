// SPDX-License-Identifier: Apache-2.0
//
// Files: the seam between conga and the disk. PosixFiles is the real one; the tests' MemFiles loses
// what was not synced, tears writes and fills up. Nothing else opens a file that must survive.
//
// What each call promises about a crash is what POSIX and ext4 promise, no more: bytes survive
// after File::sync(), names after Files::sync_directory().

#pragma once

#include "common/core/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

/// An open file, read and written by position. Closed by its destructor, which never flushes.
class File {
public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads into `out` from `offset`; returns how many bytes, fewer than asked only at the end.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> out) = 0;

  /// Writes all of `bytes` at `offset`, growing the file as needed. After a failure any part of it
  /// may have been written. Transient with code `DiskFull` when there is no room.
  virtual Result<> write(std::uint64_t offset, std::string_view bytes) = 0;

  /// As write() of so many zeros.
  virtual Result<> write_zeros(std::uint64_t offset, std::uint64_t size) = 0;

  /// As write(), for the last bytes of what the file holds: those behind them, up to the next
  /// multiple of 4 KiB, may become zeros, and `zeros` (at most 4 KiB) do. That lets a real file go
  /// around the page cache.
  virtual Result<> write_end(std::uint64_t offset, std::string_view bytes, std::size_t zeros) = 0;

  /// Makes what was written durable (fdatasync). After a failure the kernel may have dropped the
  /// pages, so it must never be tried again on this file: the process has to stop.
  virtual Result<> sync() = 0;

  /// Asks for the range to be written back soon, without waiting: makes a later sync() shorter.
  virtual void write_back(std::uint64_t offset, std::uint64_t size) = 0;

  virtual Result<std::uint64_t> size() = 0;

  /// Cuts the file at `size`, or grows it with a hole. Durable after sync().
  virtual Result<> resize(std::uint64_t size) = 0;
};

/// Held until destroyed, or until the process dies.
class FileLock {
public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
  Read,       ///< Must exist.
  ReadWrite,  ///< Must exist.
  Create,     ///< Must not exist; read and write.
};

/// Every failure names the path. An absent file is Permanent with code `NotFound`; no room is
/// Transient with code `DiskFull`.
class Files {
public:
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  virtual ~Files() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;

  /// Makes the directory and its parents (mode 0700), durably. Fine if it is there already.
  virtual Result<> make_directory(const std::string& path) = 0;

  /// The names in a directory, sorted, without `.` and `..`.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;

  /// Renames within one directory; an existing file at `to` is replaced.
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;

  virtual Result<> remove(const std::string& path) = 0;

  /// Makes creations, renames and removals in `directory` durable.
  virtual Result<> sync_directory(const std::string& directory) = 0;

  /// Takes the lock file at `path`, making it if need be, and writes this process' id into it.
  /// Permanent with code `Locked`, naming the holder's process id, if another process, or this one
  /// through another FileLock, holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

}  // namespace conga
