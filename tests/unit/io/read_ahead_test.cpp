// SPDX-License-Identifier: Apache-2.0
//
// A file that is read ahead reads as the file itself.

#include "common/io/read_ahead.h"

#include "common/core/random.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

using conga::Fault;
using conga::File;
using conga::Files;
using conga::OpenMode;
using conga::Random;
using conga::ReadAhead;
using conga::Result;
using conga::testing::MemFiles;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  Random random(size + 1);
  for (char& each : text) each = static_cast<char>(random.bits());
  return text;
}

/// Files whose reads fail behind a place.
class Broken final : public File {
public:
  Result<std::size_t> read(std::uint64_t offset, std::span<char> out) override {
    if (offset + out.size() > 5 * kMiB) return conga::fail(Fault::Permanent, "the disk is broken");
    std::ranges::fill(out, 'x');
    return out.size();
  }

  Result<> write(std::uint64_t /*offset*/, std::string_view /*bytes*/) override { return {}; }

  Result<> write_zeros(std::uint64_t /*offset*/, std::uint64_t /*size*/) override { return {}; }

  Result<> write_end(std::uint64_t /*offset*/,
                     std::string_view /*bytes*/,
                     std::size_t /*zeros*/) override {
    return {};
  }

  Result<> sync() override { return {}; }

  void write_back(std::uint64_t /*offset*/, std::uint64_t /*size*/) override {}

  Result<std::uint64_t> size() override { return 100 * kMiB; }

  Result<> resize(std::uint64_t /*size*/) override { return {}; }
};

class BrokenFiles final : public Files {
public:
  Result<std::unique_ptr<File>> open(const std::string& /*path*/, OpenMode /*mode*/) override {
    return std::unique_ptr<File>(std::make_unique<Broken>());
  }

  Result<> make_directory(const std::string& /*path*/) override { return {}; }

  Result<std::vector<std::string>> list(const std::string& /*directory*/) override { return {}; }

  Result<> rename(const std::string& /*from*/, const std::string& /*to*/) override { return {}; }

  Result<> remove(const std::string& /*path*/) override { return {}; }

  Result<> sync_directory(const std::string& /*directory*/) override { return {}; }

  Result<std::unique_ptr<conga::FileLock>> lock(const std::string& /*path*/) override {
    return std::unique_ptr<conga::FileLock>();
  }
};

}  // namespace

TEST_CASE("whatever is read of a file that is read ahead is what the file has") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, 4 * kMiB, 9 * kMiB + 12345}) {
    const std::string text = text_of(size);
    MemFiles disk;
    disk.set_content("/f", text);
    ReadAhead ahead(disk);
    const auto file = ahead.open("/f", OpenMode::Read);
    REQUIRE(file);
    Random random(size);
    std::uint64_t offset = 0;
    for (int step = 0; step < 60; ++step) {
      // Mostly on from where the last read ended or a little before, as a reader of records does.
      const std::size_t wanted = random.below(random.chance(0.5) ? 3 * kMiB : 5000);
      std::string out(wanted, '?');
      const auto got = (*file)->read(offset, out);
      REQUIRE(got);
      const std::string expected = offset < size ? text.substr(offset, wanted) : "";
      REQUIRE(*got == expected.size());
      REQUIRE(out.substr(0, *got) == expected);
      offset += *got;
      offset -= random.below(std::min<std::uint64_t>(offset, 300) + 1);
      if (offset >= size || random.chance(0.1)) offset = random.below(size + 10);
    }
    REQUIRE((*file)->size() == size);
  }
}

TEST_CASE("a failure to read comes where it is, not earlier") {
  BrokenFiles disk;
  ReadAhead ahead(disk);
  const auto file = ahead.open("/f", OpenMode::Read);
  REQUIRE(file);
  std::string out(kMiB, '?');
  for (std::uint64_t offset = 0; offset < 5 * kMiB; offset += kMiB) {
    REQUIRE((*file)->read(offset, out) == kMiB);
  }
  const auto got = (*file)->read(5 * kMiB, out);
  REQUIRE_FALSE(got);
  CHECK(got.error().what == "the disk is broken");
}

TEST_CASE("a file that is to be written is left as it is") {
  MemFiles disk;
  disk.set_content("/f", "abc");
  ReadAhead ahead(disk);
  const auto file = ahead.open("/f", OpenMode::ReadWrite);
  REQUIRE(file);
  REQUIRE((*file)->write(1, "X"));
  CHECK(disk.content("/f") == "aXc");
  CHECK_FALSE((*ahead.open("/f", OpenMode::Read))->write(0, "Y"));
  CHECK(ahead.open("/g", OpenMode::Read).error().code == "NotFound");
}
