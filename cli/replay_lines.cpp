// SPDX-License-Identifier: Apache-2.0

#include "cli/replay_lines.h"

#include "cli/archive_lines.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <charconv>
#include <utility>

namespace conga::cli {
namespace {

bool is_replaced(std::string_view field) {
  return field == "id" || field == "replay-name" || field == "replay-to" || field == "causation-id";
}

void pack_names(Packer& packer, std::string_view key, const std::vector<std::string>& names) {
  packer.key(key).array(names.size());
  for (const std::string& name : names) packer.string(name);
}

/// Empty: it is for whoever wants replays.
std::string packed(const ReplayTo& to) {
  const std::size_t members = (to.rules.empty() ? 0U : 1U) + (to.targets.empty() ? 0U : 1U);
  if (members == 0) return "";
  std::string bytes;
  Packer packer(bytes);
  packer.map(members);
  if (!to.rules.empty()) pack_names(packer, "rules", to.rules);
  if (!to.targets.empty()) pack_names(packer, "targets", to.targets);
  return bytes;
}

/// Holds each line back until its time has come.
class ReplayLines final : public LineSource {
public:
  /// `lines`: when an event came in microseconds, a blank, the event.
  ReplayLines(std::unique_ptr<LineSource> lines, ReplayPace pace, const Clock& clock)
      : lines_(std::move(lines)), pace_(pace), clock_(clock) {}

  Next next(std::string& line) override {
    if (waiting_.empty()) {
      const Next came = lines_->next(waiting_);
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
                                                const Clock& clock) {
  auto lines = open_archive_lines(choice, clock, [name, to](const Archived& archived) {
    const std::string bytes = replayed(archived.event, name, to);
    return std::to_string(archived.ingested.time_since_epoch().count()) + " "
           + to_json(Value::trusted(bytes));
  });
  if (!lines) return lines.failure();
  return std::unique_ptr<LineSource>(std::make_unique<ReplayLines>(std::move(*lines), pace, clock));
}

}  // namespace conga::cli
