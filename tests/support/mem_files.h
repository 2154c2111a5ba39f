// SPDX-License-Identifier: Apache-2.0
//
// MemFiles: a disk in memory that fails the way disks do. crash() loses what was not synced and
// may tear it; the disk can fill up, fail a sync and flip bits. The same calls in the same order
// always give the same result.

#pragma once

#include "common/core/random.h"
#include "common/io/files.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace conga::testing {

class MemFiles final : public Files {
public:
  MemFiles();
  ~MemFiles() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  /// The power goes: of all bytes written and not synced the first `torn` survive, in the order of
  /// writing; names that were not synced are as before; locks are free. Every open File and
  /// FileLock is dead from now on: its calls fail.
  void crash(std::size_t torn = 0);

  /// The same, but each unsynced sector of 512 bytes survives or not by chance, in no order, and
  /// so does each unsynced name: what a disk with a cache does.
  void crash(Random& random);

  /// Kill -9: the process dies, the machine goes on. Everything written stays; locks are free and
  /// every open File is dead.
  void kill();

  /// No file grows once all of them together have `bytes`; nothing: no limit.
  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }

  /// The bytes in all files now.
  std::uint64_t used() const;

  /// The write after the next `count` ones fails once (Permanent), having written half its bytes.
  void fail_write(std::size_t count = 0) { fail_write_ = count; }

  /// The sync after the next `count` ones fails once, and what it should have made durable is
  /// lost at the next crash even if a later sync succeeds: the kernel drops such pages.
  void fail_sync(std::size_t count = 0) { fail_sync_ = count; }

  /// Flips one bit of what is stored. The file must reach that far.
  void flip(const std::string& path, std::uint64_t offset, unsigned bit);

  /// What a file holds now, and the means to put anything there, durably.
  std::string content(const std::string& path) const;
  void set_content(const std::string& path, std::string bytes);

  std::size_t writes() const { return writes_; }

  std::size_t syncs() const { return syncs_; }

private:
  class Handle;
  class Lock;
  struct Node;

  using Names = std::map<std::string, std::shared_ptr<Node>>;

  Result<> write(Node& node, std::uint64_t offset, std::string_view bytes);
  Result<> sync(Node& node);
  bool takes_room(const Node& node, std::uint64_t end) const;
  void end_processes();

  Names names_;          ///< As a process sees them.
  Names durable_names_;  ///< As they would be after a crash.
  std::set<std::string> directories_;
  std::set<std::string> locks_;
  std::uint64_t epoch_ = 0;  ///< Handles of an earlier one are dead.
  std::uint64_t order_ = 0;  ///< Of writes over all files.
  std::optional<std::uint64_t> capacity_;
  std::optional<std::size_t> fail_write_;
  std::optional<std::size_t> fail_sync_;
  std::size_t writes_ = 0;
  std::size_t syncs_ = 0;
};

}  // namespace conga::testing
