// SPDX-License-Identifier: Apache-2.0

#include "common/io/disk_thread.h"

#include "common/io/posix_files.h"
#include "common/io/record_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <future>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <vector>

using namespace conga;

namespace {

bool readable(int descriptor, int milliseconds) {
  pollfd polled{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, milliseconds) == 1;
}

/// A folder of its own, gone at the end.
class Folder {
public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "conga-disk-thread-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path); }

  std::string path;
};

class Counter final : public LogVisitor {
public:
  void on_notes(const SegmentNotes& /*newest*/) override {}

  Result<> on_record(const LogRecord& record) override {
    payloads.emplace_back(record.payload);
    return {};
  }

  std::vector<std::string> payloads;
};

}  // namespace

TEST_CASE("a job is done on another thread, and the descriptor says when") {
  auto worker = DiskThread::start();
  REQUIRE(worker);
  std::promise<void> gate;
  std::atomic<bool> done = false;
  (*worker)->begin([&]() -> Result<> {
    gate.get_future().wait();
    done = true;
    return fail(Fault::Transient, "no room", "DiskFull");
  });
  CHECK_FALSE((*worker)->take());
  CHECK_FALSE(readable((*worker)->descriptor(), 0));
  gate.set_value();
  REQUIRE(readable((*worker)->descriptor(), 10'000));
  const auto outcome = (*worker)->take();
  REQUIRE(outcome);
  CHECK(done);
  REQUIRE_FALSE(*outcome);
  CHECK(outcome->error().code == "DiskFull");
  CHECK_FALSE(readable((*worker)->descriptor(), 0));

  (*worker)->begin([] { return Result<>(); });
  CHECK((*worker)->wait());
  CHECK_FALSE(readable((*worker)->descriptor(), 0));
}

TEST_CASE(
    "a log whose commits are done by a thread holds all of them, over segments and restarts") {
  const Folder folder;
  auto committer = DiskThread::start();
  auto filler = DiskThread::start();
  REQUIRE(committer);
  REQUIRE(filler);
  PosixFiles files;
  RecordLogOptions options;
  options.directory = folder.path + "/log";
  options.segment_size = 256 * 1024;
  options.zero_step = 64 * 1024;
  options.read_window = 16 * 1024;
  options.committer = committer->get();
  options.filler = filler->get();
  options.hand_over_size = 1;
  std::vector<std::string> wanted;
  for (int round = 0; round < 3; ++round) {
    Counter found;
    auto log = RecordLog::open(files, options, found);
    REQUIRE(log);
    CHECK(found.payloads == wanted);
    bool under_way = false;
    for (std::size_t turn = 0; turn < 60; ++turn) {
      // What comes while a commit is under way belongs to the next one.
      for (std::size_t record = 0; record < 1 + turn % 7; ++record) {
        wanted.emplace_back(500 + 97 * turn, static_cast<char>('a' + turn % 26));
        const auto slot = (*log)->append(kFirstUserType, wanted.back().size());
        REQUIRE(slot);
        std::memcpy(slot->payload, wanted.back().data(), wanted.back().size());
      }
      // A new segment has waited for it already.
      if (under_way && !*(*log)->poll_sync()) {
        REQUIRE(readable((*committer)->descriptor(), 10'000));
        CHECK(*(*log)->poll_sync());
      }
      CHECK((*log)->dirty());
      const auto durable = (*log)->begin_sync();
      REQUIRE(durable);
      under_way = !*durable;
      REQUIRE((*log)->prepare());
    }
    REQUIRE((*log)->sync());
    CHECK((*log)->durable_end() == (*log)->end());
    CHECK((*log)->segments().size() > static_cast<std::size_t>(round));
  }
  Counter found;
  REQUIRE(RecordLog::open(files, options, found));
  CHECK(found.payloads == wanted);
}
