// SPDX-License-Identifier: Apache-2.0

#include "cli/replay_lines.h"

#include "bus/sidecar/link.h"
#include "cli/archive_lines.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <charconv>
#include <deque>
#include <utility>

namespace conga::cli {
namespace {

bool is_replaced(std::string_view field) {
  return field == "id" || field == "replay-name" || field == "replay-to" || field == "causation-id";
}

/// Empty: it is for whoever wants replays.
std::string packed(const ReplayTo& to) {
  const std::size_t members = (to.rules.empty() ? 0U : 1U) + (to.targets.empty() ? 0U : 1U);
  if (members == 0) return "";
  std::string bytes;
  Packer packer(bytes);
  packer.map(members);
  if (!to.rules.empty()) packer.key("rules").strings(to.rules);
  if (!to.targets.empty()) packer.key("targets").strings(to.targets);
  return bytes;
}

/// Holds each line back until its time has come.
class ReplayLines final : public LineSource {
public:
  /// `lines`: when an event came in microseconds, its sequence, the event, with blanks between.
  ReplayLines(std::unique_ptr<LineSource> lines,
              ReplayPace pace,
              const Clock& clock,
              bus::Sequence after,
              std::unique_ptr<Bookmark> bookmark)
      : lines_(std::move(lines)),
        pace_(pace),
        clock_(clock),
        bookmark_(std::move(bookmark)),
        done_(after) {}

  Next next(std::string& line) override {
    if (waiting_.empty()) {
      const Next came = lines_->next(waiting_);
      ended_ = came == Next::End;
      if (came != Next::Line) {
        std::swap(line, waiting_);
        waiting_.clear();
        return came;
      }
    }
    const std::size_t blank = waiting_.find(' ');
    if (!is_due(std::string_view(waiting_).substr(0, blank))) return Next::Later;
    if (given_count_ == 0) keep();
    if (!unkept_.empty()) {
      line = unkept_;
      return Next::Broken;
    }
    give(blank + 1, line);
    return Next::Line;
  }

  void done(std::uint64_t lines) override {
    const bus::Sequence before = done_;
    while (!given_.empty() && given_count_ - given_.size() < lines) {
      done_ = given_.front();
      given_.pop_front();
    }
    if (ended_ && given_.empty()) {
      if (bookmark_) static_cast<void>(bookmark_->finish());  // if it stays, resuming finds nothing
    } else if (done_ != before) {
      keep();
    }
  }

  std::optional<double> fraction() const override { return std::nullopt; }

private:
  void keep() {
    if (!bookmark_) return;
    if (const auto kept = bookmark_->keep(done_); !kept) unkept_ = kept.error().what;
  }

  /// The waiting line, whose sequence begins at `begin`.
  void give(std::size_t begin, std::string& line) {
    const std::size_t blank = waiting_.find(' ', begin);
    bus::Sequence sequence = 0;
    std::from_chars(waiting_.data() + begin, waiting_.data() + blank, sequence);
    if (bookmark_) given_.push_back(sequence);
    ++given_count_;
    line.assign(waiting_, blank + 1);
    waiting_.clear();
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

  std::unique_ptr<LineSource> lines_;
  ReplayPace pace_;
  const Clock& clock_;
  std::string waiting_;  ///< A line whose time has not come.
  std::optional<std::pair<SteadyTime, std::int64_t>> started_;
  std::unique_ptr<Bookmark> bookmark_;  ///< Null: none is kept.
  std::deque<bus::Sequence> given_;     ///< Of the lines that are given out and not done with.
  std::uint64_t given_count_ = 0;
  bus::Sequence done_;
  bool ended_ = false;
  std::string unkept_;  ///< Why the bookmark could not be kept.
};

}  // namespace

std::string replayed(const EventView& original, const std::string& name, const ReplayTo& to) {
  const std::string chosen = packed(to);
  std::size_t kept = chosen.empty() ? 0 : 1;
  for (const auto& [field, value] : original.map.members()) kept += is_replaced(field) ? 0U : 1U;
  std::string bytes;
  Packer packer(bytes);
  packer.map(kept + 3);
  packer.key("id").string(Uuid::v5(original.id, "replay/" + name).text());
  packer.key("replay-name").string(name);
  packer.key("causation-id").string(original.id.text());
  if (!chosen.empty()) packer.key("replay-to").raw(chosen);
  for (const auto& [field, value] : original.map.members()) {
    if (!is_replaced(field)) packer.key(field).value(value);
  }
  return bytes;
}

Result<std::unique_ptr<LineSource>> open_replay(const ArchiveChoice& choice,
                                                const std::string& name,
                                                const ReplayTo& to,
                                                ReplayPace pace,
                                                const Clock& clock,
                                                std::unique_ptr<Bookmark> bookmark) {
  auto lines = open_archive_lines(choice, clock, [name, to](const Archived& archived) {
    // The bus's own news is no news any more, and nobody else may put it.
    if (archived.event.source.starts_with(bus::kOwnSourcePrefix)) return std::string();
    const std::string bytes = replayed(archived.event, name, to);
    return std::to_string(archived.ingested.time_since_epoch().count()) + " "
           + std::to_string(archived.sequence) + " " + to_json(Value::trusted(bytes));
  });
  if (!lines) return lines.failure();
  return std::unique_ptr<LineSource>(std::make_unique<ReplayLines>(
      std::move(*lines), pace, clock, choice.after, std::move(bookmark)));
}

}  // namespace conga::cli
