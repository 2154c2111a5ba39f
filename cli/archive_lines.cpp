// SPDX-License-Identifier: Apache-2.0

#include "cli/archive_lines.h"

#include "common/io/posix_files.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>

namespace conga::cli {
namespace {

/// All of it, or false if nobody reads any more.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class ArchiveLines final : public LineSource {
public:
  ArchiveLines(ArchiveChoice choice, const Clock& clock, ArchiveLine line_of)
      : choice_(std::move(choice)), clock_(clock), line_of_(std::move(line_of)) {}

  ArchiveLines(const ArchiveLines&) = delete;
  ArchiveLines& operator=(const ArchiveLines&) = delete;

  ~ArchiveLines() override {
    stop_ = true;
    if (out_ >= 0) ::close(out_);
    lines_.reset();  // closes the pipe: a writer that waits for room goes on, and ends
    if (reader_.joinable()) reader_.join();
  }

  Result<> open() {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) {
      return fail(Fault::Transient, std::string("no pipe: ") + std::strerror(errno));
    }
    lines_ = lines_of(pipe[0], "the archive");
    out_ = pipe[1];
    return {};
  }

  /// The reading begins with the first call: what is in the archive by then is read.
  Next next(std::string& line) override {
    if (out_ >= 0) reader_ = std::thread([this, out = std::exchange(out_, -1)] { read(out); });
    const Next came = lines_->next(line);
    if (came != Next::End) return came;
    if (reader_.joinable()) reader_.join();
    if (broken_.empty()) return Next::End;
    line = broken_;
    return Next::Broken;
  }

  std::optional<double> fraction() const override { return std::nullopt; }

private:
  /// The reader's thread.
  void read(int out) {
    sigset_t signals;
    ::sigfillset(&signals);  // they are the main thread's; SIGPIPE is a failed write here
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    PosixFiles files;
    const auto faults = read_archive(
        files, choice_, clock_.now().wall, stop_, [this, out](const Archived& archived) {
          const std::string line = line_of_(archived);
          if (!line.empty() && !write_all(out, line + "\n")) stop_ = true;
        });
    if (!faults) broken_ = faults.error().what;
    if (faults && !faults->empty()) broken_ = faults->front();
    ::close(out);
  }

  ArchiveChoice choice_;
  const Clock& clock_;
  ArchiveLine line_of_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<LineSource> lines_;
  int out_ = -1;        ///< The pipe's end for the reader, until that has begun.
  std::string broken_;  ///< The reader's until it has ended.
  std::thread reader_;
};

}  // namespace

Result<std::unique_ptr<LineSource>> open_archive_lines(const ArchiveChoice& choice,
                                                       const Clock& clock,
                                                       ArchiveLine line_of) {
  auto lines = std::make_unique<ArchiveLines>(choice, clock, std::move(line_of));
  if (auto opened = lines->open(); !opened) return opened.failure();
  return std::unique_ptr<LineSource>(std::move(lines));
}

}  // namespace conga::cli
