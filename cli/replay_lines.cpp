// SPDX-License-Identifier: Apache-2.0

#include "cli/replay_lines.h"

#include "common/io/posix_files.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <thread>
#include <unistd.h>
#include <utility>

namespace conga::cli {
namespace {

bool is_replaced(std::string_view field) {
  return field == "id" || field == "replay-name" || field == "causation-id";
}

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

class ReplayLines final : public LineSource {
public:
  ReplayLines(ArchiveChoice choice, std::string name, ReplayPace pace, const Clock& clock)
      : choice_(std::move(choice)), name_(std::move(name)), pace_(pace), clock_(clock) {}

  ReplayLines(const ReplayLines&) = delete;
  ReplayLines& operator=(const ReplayLines&) = delete;

  ~ReplayLines() override {
    stop_ = true;
    lines_.reset();  // closes the pipe: a writer that waits for room goes on, and ends
    if (reader_.joinable()) reader_.join();
  }

  Result<> open() {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) {
      return fail(Fault::Transient, std::string("no pipe: ") + std::strerror(errno));
    }
    lines_ = lines_of(pipe[0], "the archive");
    reader_ = std::thread([this, out = pipe[1]] { read(out); });
    return {};
  }

  Next next(std::string& line) override {
    if (waiting_.empty()) {
      const Next came = lines_->next(waiting_);
      if (came == Next::End && reader_.joinable()) reader_.join();
      if (came == Next::End && !broken_.empty()) {
        line = broken_;
        return Next::Broken;
      }
      if (came != Next::Line) {
        std::swap(line, waiting_);
        waiting_.clear();
        return came;
      }
    }
    const std::size_t blank = waiting_.find(' ');
    if (!is_due(std::string_view(waiting_).substr(0, blank))) return Next::Later;
    line.assign(waiting_, blank + 1);
    waiting_.clear();
    return Next::Line;
  }

  std::optional<double> fraction() const override { return std::nullopt; }

private:
  /// The reader's thread. Each line: when it came in microseconds, a blank, the event.
  void read(int out) {
    sigset_t signals;
    ::sigfillset(&signals);  // they are the main thread's; SIGPIPE is a failed write here
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    PosixFiles files;
    const auto faults = read_archive(
        files, choice_, clock_.now().wall, stop_, [this, out](const Archived& archived) {
          const std::string bytes = replayed(archived.event, name_);
          const std::string line = std::to_string(archived.ingested.time_since_epoch().count())
                                   + " " + to_json(Value::trusted(bytes)) + "\n";
          if (!write_all(out, line)) stop_ = true;
        });
    if (!faults) broken_ = faults.error().what;
    if (faults && !faults->empty()) broken_ = faults->front();
    ::close(out);
  }

  bool is_due(std::string_view came) {
    if (pace_.speed == 0) return true;
    std::int64_t micros = 0;
    std::from_chars(came.data(), came.data() + came.size(), micros);
    const SteadyTime now = clock_.now().steady;
    if (!started_) started_ = {now, micros};
    const double after = static_cast<double>(micros - started_->second) / pace_.speed;
    return now >= started_->first + Duration(static_cast<std::int64_t>(after));
  }

  ArchiveChoice choice_;
  std::string name_;
  ReplayPace pace_;
  const Clock& clock_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<LineSource> lines_;
  std::string waiting_;  ///< A line whose time has not come.
  std::string broken_;   ///< The reader's until it has ended.
  std::optional<std::pair<SteadyTime, std::int64_t>> started_;
  std::thread reader_;
};

}  // namespace

std::string replayed(const EventView& original, const std::string& name) {
  std::size_t kept = 0;
  for (const auto& [field, value] : original.map.members()) kept += is_replaced(field) ? 0U : 1U;
  std::string bytes;
  Packer packer(bytes);
  packer.map(kept + 3);
  packer.key("id").string(Uuid::v5(original.id, "replay/" + name).text());
  packer.key("replay-name").string(name);
  packer.key("causation-id").string(original.id.text());
  for (const auto& [field, value] : original.map.members()) {
    if (!is_replaced(field)) packer.key(field).value(value);
  }
  return bytes;
}

Result<std::unique_ptr<LineSource>> open_replay(const ArchiveChoice& choice,
                                                const std::string& name,
                                                ReplayPace pace,
                                                const Clock& clock) {
  auto lines = std::make_unique<ReplayLines>(choice, name, pace, clock);
  if (auto opened = lines->open(); !opened) return opened.failure();
  return std::unique_ptr<LineSource>(std::move(lines));
}

}  // namespace conga::cli
