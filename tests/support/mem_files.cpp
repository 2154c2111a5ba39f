// SPDX-License-Identifier: Apache-2.0
//
// A file is its content now and the writes since its last sync, each with the bytes it replaced, so
// that a crash can take them back and put a chosen part of them on again.

#include "tests/support/mem_files.h"

#include "common/core/check.h"

#include <algorithm>
#include <utility>

namespace conga::testing {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::uint64_t kPage = 4096;

struct Write {
  std::uint64_t order = 0;
  std::uint64_t offset = 0;
  std::uint64_t size_before = 0;
  std::string before;  ///< What it replaced; shorter than `after` where the file grew.
  std::string after;
  bool resize = false;  ///< `offset` is the new size; `before` is what was cut.
};

std::string directory_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

void put(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  content.replace(offset, bytes.size(), bytes);
}

void undo(std::string& content, const Write& write) {
  content.resize(std::max<std::uint64_t>(content.size(), write.size_before));
  put(content, write.offset, write.before);
  content.resize(write.size_before);
}

/// Puts the first `size` bytes of `write` on again.
void redo(std::string& content, const Write& write, std::size_t size) {
  if (write.resize) {
    content.resize(write.offset);
  } else {
    put(content, write.offset, std::string_view(write.after).substr(0, size));
  }
}

void redo_sectors(std::string& content, const Write& write, Random& random) {
  if (write.resize) return;
  std::uint64_t from = 0;
  while (from < write.after.size()) {
    const std::uint64_t left_in_sector = kSector - (write.offset + from) % kSector;
    const std::uint64_t size = std::min<std::uint64_t>(left_in_sector, write.after.size() - from);
    if (random.chance(0.5)) {
      put(content, write.offset + from, std::string_view(write.after).substr(from, size));
    }
    from += size;
  }
}

tl::unexpected<Error> not_found(const std::string& path) {
  return fail(Fault::Permanent, path + ": cannot open: No such file or directory", "NotFound");
}

}  // namespace

struct MemFiles::Node {
  std::string content;
  std::vector<Write> unsynced;
};

class MemFiles::Handle final : public File {
public:
  Handle(MemFiles& disk, std::string path, std::shared_ptr<Node> node, OpenMode mode)
      : disk_(disk),
        path_(std::move(path)),
        node_(std::move(node)),
        mode_(mode),
        epoch_(disk.epoch_) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<char> out) override {
    if (auto usable = check_usable(); !usable) return usable.failure();
    const std::string& content = node_->content;
    if (offset >= content.size()) return std::size_t{0};
    const std::size_t size = std::min<std::size_t>(out.size(), content.size() - offset);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
    return size;
  }

  Result<> write(std::uint64_t offset, std::string_view bytes) override {
    if (auto usable = check_writable("write"); !usable) return usable.failure();
    auto done = disk_.write(*node_, offset, bytes);
    if (!done) return fail(done.error().fault, path_ + done.error().what, done.error().code);
    return {};
  }

  Result<> write_zeros(std::uint64_t offset, std::uint64_t size) override {
    return write(offset, std::string(size, '\0'));
  }

  Result<> write_end(std::uint64_t offset, std::string_view bytes, std::size_t zeros) override {
    std::string padded = std::string(bytes).append(zeros, '\0');
    const std::uint64_t end = offset + padded.size();
    const std::uint64_t border = (end + kPage - 1) / kPage * kPage;
    const std::uint64_t size = std::min<std::uint64_t>(border, node_->content.size());
    if (size > end) padded.append(size - end, '\0');
    return write(offset, padded);
  }

  Result<> sync() override {
    if (auto usable = check_usable(); !usable) return usable.failure();
    if (!disk_.sync(*node_)) {
      return fail(Fault::Permanent, path_ + ": cannot sync: Input/output error");
    }
    return {};
  }

  void write_back(std::uint64_t /*offset*/, std::uint64_t /*size*/) override {}

  Result<std::uint64_t> size() override {
    if (auto usable = check_usable(); !usable) return usable.failure();
    return node_->content.size();
  }

  Result<> resize(std::uint64_t size) override {
    if (auto usable = check_writable("resize"); !usable) return usable.failure();
    std::string& content = node_->content;
    Write write;
    write.order = disk_.order_++;
    write.offset = size;
    write.size_before = content.size();
    write.resize = true;
    if (size < content.size()) write.before = content.substr(size);
    content.resize(size);
    node_->unsynced.push_back(std::move(write));
    return {};
  }

private:
  Result<> check_usable() const {
    if (epoch_ == disk_.epoch_) return {};
    return fail(Fault::Permanent, path_ + ": its process is dead");
  }

  Result<> check_writable(const std::string& action) const {
    if (mode_ != OpenMode::Read) return check_usable();
    return fail(Fault::Permanent, path_ + ": cannot " + action + ": Bad file descriptor");
  }

  MemFiles& disk_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
  const OpenMode mode_;
  const std::uint64_t epoch_;
};

class MemFiles::Lock final : public FileLock {
public:
  Lock(MemFiles& disk, std::string path)
      : disk_(disk), path_(std::move(path)), epoch_(disk.epoch_) {}

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  ~Lock() override {
    if (epoch_ == disk_.epoch_) disk_.locks_.erase(path_);
  }

private:
  MemFiles& disk_;
  const std::string path_;
  const std::uint64_t epoch_;
};

MemFiles::MemFiles() = default;
MemFiles::~MemFiles() = default;

Result<std::unique_ptr<File>> MemFiles::open(const std::string& path, OpenMode mode) {
  auto found = names_.find(path);
  if (mode == OpenMode::Create) {
    if (found != names_.end()) {
      return fail(Fault::Permanent, path + ": cannot open: File exists");
    }
    if (!directories_.contains(directory_of(path))) return not_found(path);
    found = names_.emplace(path, std::make_shared<Node>()).first;
  }
  if (found == names_.end()) return not_found(path);
  return std::make_unique<Handle>(*this, path, found->second, mode);
}

Result<> MemFiles::make_directory(const std::string& path) {
  if (names_.contains(path)) {
    return fail(Fault::Permanent, path + ": cannot make directory: Not a directory");
  }
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    directories_.insert(path.substr(0, slash));
  directories_.insert(path);
  return {};
}

Result<std::vector<std::string>> MemFiles::list(const std::string& directory) {
  if (!directories_.contains(directory)) {
    return fail(
        Fault::Permanent, directory + ": cannot list: No such file or directory", "NotFound");
  }
  std::set<std::string> found;
  for (const auto& entry : names_) {
    if (directory_of(entry.first) == directory) {
      found.insert(entry.first.substr(directory.size() + 1));
    }
  }
  for (const std::string& path : directories_) {
    if (path != directory && directory_of(path) == directory) {
      found.insert(path.substr(directory.size() + 1));
    }
  }
  return std::vector<std::string>(found.begin(), found.end());
}

Result<> MemFiles::rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return not_found(from);
  if (from == to) return {};
  names_[to] = found->second;
  names_.erase(found);
  return {};
}

Result<> MemFiles::remove(const std::string& path) {
  if (names_.erase(path) == 0) return not_found(path);
  return {};
}

Result<> MemFiles::sync_directory(const std::string& directory) {
  std::erase_if(durable_names_,
                [&directory](const auto& entry) { return directory_of(entry.first) == directory; });
  for (const auto& entry : names_) {
    if (directory_of(entry.first) == directory) durable_names_.insert(entry);
  }
  return {};
}

Result<std::unique_ptr<FileLock>> MemFiles::lock(const std::string& path) {
  if (!directories_.contains(directory_of(path))) return not_found(path);
  if (!locks_.insert(path).second) {
    return fail(Fault::Permanent, path + ": locked by process 1, which runs", "Locked");
  }
  if (!names_.contains(path)) names_.emplace(path, std::make_shared<Node>());
  return std::make_unique<Lock>(*this, path);
}

Result<> MemFiles::write(Node& node, std::uint64_t offset, std::string_view bytes) {
  ++writes_;
  const bool failing = fail_write_ && *fail_write_ == 0;
  if (fail_write_) fail_write_ = failing ? std::nullopt : std::optional(*fail_write_ - 1);
  if (failing) bytes = bytes.substr(0, bytes.size() / 2);

  const bool full = takes_room(node, offset + bytes.size());
  if (full) {
    const std::uint64_t room = *capacity_ - std::min(*capacity_, used()) + node.content.size();
    bytes = bytes.substr(0, room > offset ? room - offset : 0);
  }
  Write write;
  write.order = order_++;
  write.offset = offset;
  write.size_before = node.content.size();
  if (offset < node.content.size()) write.before = node.content.substr(offset, bytes.size());
  write.after = bytes;
  if (!bytes.empty()) put(node.content, offset, bytes);
  node.unsynced.push_back(std::move(write));
  if (full) return fail(Fault::Transient, ": cannot write: No space left on device", "DiskFull");
  if (failing) return fail(Fault::Permanent, ": cannot write: Input/output error");
  return {};
}

Result<> MemFiles::sync(Node& node) {
  ++syncs_;
  const bool failing = fail_sync_ && *fail_sync_ == 0;
  if (fail_sync_) fail_sync_ = failing ? std::nullopt : std::optional(*fail_sync_ - 1);
  if (failing) {
    // The process still reads what it wrote, but nobody will write it back.
    std::string stored = node.content;
    for (auto write = node.unsynced.rbegin(); write != node.unsynced.rend(); ++write) {
      undo(stored, *write);
    }
    Write lost;
    lost.order = order_++;
    lost.size_before = stored.size();
    lost.before = std::move(stored);
    lost.after = node.content;
    node.unsynced.assign(1, std::move(lost));
    return fail(Fault::Permanent, "sync failed");
  }
  node.unsynced.clear();
  return {};
}

bool MemFiles::takes_room(const Node& node, std::uint64_t end) const {
  if (!capacity_ || end <= node.content.size()) return false;
  return used() + (end - node.content.size()) > *capacity_;
}

std::uint64_t MemFiles::used() const {
  std::uint64_t sum = 0;
  for (const auto& entry : names_) sum += entry.second->content.size();
  return sum;
}

void MemFiles::end_processes() {
  ++epoch_;
  locks_.clear();
  fail_write_.reset();
  fail_sync_.reset();
}

void MemFiles::kill() {
  end_processes();
}

void MemFiles::crash(std::size_t torn) {
  end_processes();
  std::vector<std::pair<Write, Node*>> lost;
  std::set<std::shared_ptr<Node>> nodes;
  for (const auto& entry : durable_names_) nodes.insert(entry.second);
  for (const auto& node : nodes) {
    for (auto write = node->unsynced.rbegin(); write != node->unsynced.rend(); ++write) {
      undo(node->content, *write);
    }
    for (Write& write : node->unsynced) lost.emplace_back(std::move(write), node.get());
    node->unsynced.clear();
  }
  std::ranges::sort(lost, {}, [](const auto& entry) { return entry.first.order; });
  for (const auto& [write, node] : lost) {
    const std::size_t size = std::min(torn, write.after.size());
    if (size == 0) break;
    redo(node->content, write, size);
    torn -= size;
  }
  names_ = durable_names_;
}

void MemFiles::crash(Random& random) {
  end_processes();
  // A name that a crash may or may not bring back: every one that changed since its last sync.
  Names after;
  for (const auto& entry : durable_names_) {
    const auto now = names_.find(entry.first);
    const bool gone = now == names_.end();
    if (gone && random.chance(0.5)) continue;
    after.emplace(entry.first, !gone && random.chance(0.5) ? now->second : entry.second);
  }
  for (const auto& entry : names_) {
    if (!durable_names_.contains(entry.first) && random.chance(0.5)) after.insert(entry);
  }
  // In the order of names, not of addresses, so that one seed gives one disk.
  std::set<Node*> done;
  for (const auto& entry : after) {
    Node& node = *entry.second;
    if (!done.insert(&node).second) continue;
    for (auto write = node.unsynced.rbegin(); write != node.unsynced.rend(); ++write) {
      undo(node.content, *write);
    }
    for (const Write& write : node.unsynced) redo_sectors(node.content, write, random);
    node.unsynced.clear();
  }
  names_ = after;
  durable_names_ = after;
}

void MemFiles::flip(const std::string& path, std::uint64_t offset, unsigned bit) {
  const auto found = names_.find(path);
  CONGA_CHECK(found != names_.end() && offset < found->second->content.size(), "nothing to flip");
  char& byte = found->second->content[offset];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (bit % 8)));
}

std::string MemFiles::content(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? std::string() : found->second->content;
}

void MemFiles::set_content(const std::string& path, std::string bytes) {
  auto node = std::make_shared<Node>();
  node->content = std::move(bytes);
  directories_.insert(directory_of(path));
  names_[path] = node;
  durable_names_[path] = node;
}

}  // namespace conga::testing
