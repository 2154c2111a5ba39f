// SPDX-License-Identifier: Apache-2.0
//
// The contract of Files, run on the real disk and on the simulated one alike.

#include "common/io/files.h"

#include "common/io/posix_files.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using conga::Fault;
using conga::File;
using conga::Files;
using conga::OpenMode;
using conga::PosixFiles;
using conga::testing::MemFiles;

/// A new empty directory, gone with its owner.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }

  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

std::string read(File& file, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  const auto got = file.read(offset, bytes);
  REQUIRE(got);
  bytes.resize(*got);
  return bytes;
}

/// Runs the same `test(files, directory)` on both.
template <class Test>
void on_both(const Test& test) {
  SUBCASE("the real disk") {
    const TemporaryDirectory directory;
    PosixFiles files;
    test(files, directory.path() + "/d/e");
  }
  SUBCASE("the simulated disk") {
    MemFiles files;
    test(files, std::string("/var/d/e"));
  }
}

}  // namespace

TEST_CASE("what is written by position is read by position, and a gap reads as zeros") {
  on_both([](Files& files, const std::string& directory) {
    REQUIRE(files.make_directory(directory));
    REQUIRE(files.make_directory(directory));
    auto file = files.open(directory + "/a", OpenMode::Create);
    REQUIRE(file);
    REQUIRE((*file)->write(4, "abcd"));
    REQUIRE((*file)->write(6, "XYZ"));
    REQUIRE((*file)->sync());
    (*file)->write_back(0, 4);
    CHECK(read(**file, 0, 100) == std::string("\0\0\0\0abXYZ", 9));
    CHECK(read(**file, 7, 1) == "Y");
    CHECK(read(**file, 9, 1).empty());
    CHECK(read(**file, 1000, 1).empty());
    CHECK(*(*file)->size() == 9);
    REQUIRE((*file)->resize(5));
    REQUIRE((*file)->resize(7));
    CHECK(read(**file, 0, 100) == std::string("\0\0\0\0a\0\0", 7));
  });
}

TEST_CASE("open finds only what is there, and creates only what is not") {
  on_both([](Files& files, const std::string& directory) {
    const auto absent_directory = files.open(directory + "/a", OpenMode::Create);
    REQUIRE(!absent_directory);
    CHECK(absent_directory.error().code == "NotFound");
    REQUIRE(files.make_directory(directory));
    for (const OpenMode mode : {OpenMode::Read, OpenMode::ReadWrite}) {
      const auto absent = files.open(directory + "/a", mode);
      REQUIRE(!absent);
      CHECK(absent.error().code == "NotFound");
      CHECK(absent.error().what.find(directory + "/a") != std::string::npos);
    }
    REQUIRE(files.open(directory + "/a", OpenMode::Create));
    CHECK(!files.open(directory + "/a", OpenMode::Create));
    auto reader = files.open(directory + "/a", OpenMode::Read);
    REQUIRE(reader);
    CHECK(!(*reader)->write(0, "x"));
    CHECK(!(*reader)->resize(1));
    CHECK(!files.make_directory(directory + "/a"));
  });
}

TEST_CASE("names are listed in order, renamed over others and removed") {
  on_both([](Files& files, const std::string& directory) {
    CHECK(!files.list(directory));
    REQUIRE(files.make_directory(directory));
    CHECK(files.list(directory)->empty());
    for (const char* name : {"/c", "/a", "/b"}) {
      auto file = files.open(directory + name, OpenMode::Create);
      REQUIRE(file);
      REQUIRE((*file)->write(0, name));
    }
    REQUIRE(files.rename(directory + "/c", directory + "/b"));
    REQUIRE(files.sync_directory(directory));
    CHECK(*files.list(directory) == std::vector<std::string>{"a", "b"});
    auto moved = files.open(directory + "/b", OpenMode::Read);
    REQUIRE(moved);
    CHECK(read(**moved, 0, 10) == "/c");
    REQUIRE(files.remove(directory + "/a"));
    CHECK(*files.list(directory) == std::vector<std::string>{"b"});
    CHECK(!files.remove(directory + "/a"));
    CHECK(!files.rename(directory + "/a", directory + "/z"));
  });
}

TEST_CASE("a second lock is refused while the first is held, naming its process") {
  on_both([](Files& files, const std::string& directory) {
    REQUIRE(files.make_directory(directory));
    {
      const auto first = files.lock(directory + "/lock");
      REQUIRE(first);
      const auto second = files.lock(directory + "/lock");
      REQUIRE(!second);
      CHECK(second.error().code == "Locked");
      CHECK(second.error().fault == Fault::Permanent);
      CHECK(second.error().what.find("locked by process ") != std::string::npos);
    }
    CHECK(files.lock(directory + "/lock"));
  });
}

TEST_CASE("a lock is free once its process has died, and names it by id until then") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/lock";
  std::array<int, 2> ready{};
  std::array<int, 2> done{};
  REQUIRE(::pipe(ready.data()) == 0);
  REQUIRE(::pipe(done.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    PosixFiles files;
    const auto lock = files.lock(path);
    char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) < 0) ::_exit(1);
    ::_exit(0);
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  PosixFiles files;
  const auto refused = files.lock(path);
  REQUIRE(!refused);
  CHECK(refused.error().what
        == path + ": locked by process " + std::to_string(child) + ", which runs");
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
  CHECK(files.lock(path));
}

TEST_CASE("a crash keeps what was synced, and of the rest as much as was torn") {
  for (std::size_t torn = 0; torn <= 6; ++torn) {
    CAPTURE(torn);
    MemFiles disk;
    REQUIRE(disk.make_directory("/d"));
    auto file = disk.open("/d/a", OpenMode::Create);
    REQUIRE(disk.sync_directory("/d"));
    REQUIRE((*file)->write(0, "synced"));
    REQUIRE((*file)->sync());
    REQUIRE((*file)->write(2, "ABC"));
    REQUIRE((*file)->write(6, "DEF"));
    disk.crash(torn);
    CHECK(!(*file)->write(0, "dead"));
    const std::array<std::string, 7> expected{
        "synced", "syAced", "syABed", "syABCd", "syABCdD", "syABCdDE", "syABCdDEF"};
    CHECK(disk.content("/d/a") == expected.at(torn));
  }
}

TEST_CASE("a crash takes back names that were not synced") {
  MemFiles disk;
  REQUIRE(disk.make_directory("/d"));
  { REQUIRE(disk.open("/d/a", OpenMode::Create)); }
  REQUIRE(disk.sync_directory("/d"));
  { REQUIRE(disk.open("/d/b", OpenMode::Create)); }
  REQUIRE(disk.rename("/d/a", "/d/c"));
  disk.crash();
  CHECK(*disk.list("/d") == std::vector<std::string>{"a"});
}

TEST_CASE("kill -9 keeps what was written and frees the locks") {
  MemFiles disk;
  REQUIRE(disk.make_directory("/d"));
  auto file = disk.open("/d/a", OpenMode::Create);
  auto lock = disk.lock("/d/lock");
  REQUIRE((*file)->write(0, "written"));
  disk.kill();
  CHECK(disk.content("/d/a") == "written");
  auto again = disk.lock("/d/lock");
  REQUIRE(again);
  lock->reset();
  CHECK(!disk.lock("/d/lock"));
}

TEST_CASE("a failed sync loses its bytes even if a later one succeeds") {
  MemFiles disk;
  REQUIRE(disk.make_directory("/d"));
  auto file = disk.open("/d/a", OpenMode::Create);
  REQUIRE(disk.sync_directory("/d"));
  REQUIRE((*file)->write(0, "one"));
  REQUIRE((*file)->sync());
  REQUIRE((*file)->write(0, "two"));
  disk.fail_sync();
  CHECK(!(*file)->sync());
  CHECK(read(**file, 0, 3) == "two");
  disk.crash();
  CHECK(disk.content("/d/a") == "one");
}

TEST_CASE("a full disk refuses to grow, tells so, and recovers when space is freed") {
  MemFiles disk;
  REQUIRE(disk.make_directory("/d"));
  auto big = disk.open("/d/big", OpenMode::Create);
  auto file = disk.open("/d/a", OpenMode::Create);
  REQUIRE((*big)->write(0, std::string(90, 'b')));
  disk.set_capacity(100);
  REQUIRE((*file)->write(0, "12345678"));
  const auto full = (*file)->write(8, "12345678");
  REQUIRE(!full);
  CHECK(full.error().code == "DiskFull");
  CHECK(full.error().fault == Fault::Transient);
  CHECK((*file)->write(0, "overwrite"));
  REQUIRE(disk.remove("/d/big"));
  CHECK((*file)->write(8, "12345678"));
}

TEST_CASE("a failing write leaves a part behind") {
  MemFiles disk;
  REQUIRE(disk.make_directory("/d"));
  auto file = disk.open("/d/a", OpenMode::Create);
  disk.fail_write(1);
  CHECK((*file)->write(0, "1234"));
  CHECK(!(*file)->write(4, "5678"));
  CHECK(disk.content("/d/a") == "123456");
  CHECK((*file)->write(4, "5678"));
}

TEST_CASE("what is written at the end joins what is there, however large and unaligned") {
  on_both([](Files& files, const std::string& directory) {
    REQUIRE(files.make_directory(directory));
    auto file = files.open(directory + "/a", OpenMode::Create);
    REQUIRE(file);
    // As a journal does: room ahead, a header, then records behind one another.
    REQUIRE((*file)->write(0, std::string(5000, 'x')));
    REQUIRE((*file)->write_zeros(0, std::size_t{4} << 20U));
    REQUIRE((*file)->write(0, "header"));
    std::string wanted = "header";
    const std::vector<std::size_t> sizes{
        1, 10, 4073, 6, 4096, 8191, 100'000, 3, 2'500'000, 1, 70'000};
    for (std::size_t at = 0; at < sizes.size(); ++at) {
      const std::string bytes(sizes[at], static_cast<char>('a' + at));
      const std::size_t zeros = at % 3 == 0 ? 4096 : 16;
      REQUIRE((*file)->write_end(wanted.size(), bytes, zeros));
      wanted += bytes;
      REQUIRE((*file)->sync());
    }
    CHECK(read(**file, 0, wanted.size()) == wanted);
    CHECK(read(**file, wanted.size(), 100) == std::string(100, '\0'));
    CHECK(read(**file, 5, 300'001) == wanted.substr(5, 300'001));
    CHECK(read(**file, 4097, 2'000'000) == wanted.substr(4097, 2'000'000));
    CHECK(read(**file, 3'000'000, 3'000'000).size() == (std::size_t{4} << 20U) - 3'000'000);
    CHECK(read(**file, std::size_t{4} << 20U, 300'000).empty());

    // Once more by another handle, which knows nothing of the page it begins in.
    auto other = files.open(directory + "/a", OpenMode::ReadWrite);
    REQUIRE(other);
    REQUIRE((*other)->write_end(wanted.size(), "more", 0));
    CHECK(read(**file, 0, wanted.size() + 4) == wanted + "more");
    // A write before the end changes the page that the next one at the end writes again.
    REQUIRE((*other)->write(wanted.size() - 1, "Z"));
    REQUIRE((*other)->write_end(wanted.size() + 4, "!", 0));
    CHECK(read(**other, wanted.size() - 1, 6) == "Zmore!");
  });
}
