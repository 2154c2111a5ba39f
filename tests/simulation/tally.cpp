// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/tally.h"

#include "common/core/check.h"

#include <array>

namespace conga::simulation {

Result<> TalliedHandlers::migrate() {
  static constexpr std::array<std::string_view, 1> kSteps{
      "CREATE TABLE tally(event_id TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;"};
  if (auto migrated = database_.migrate("tally", kSteps); !migrated) return migrated;
  return inner_->migrate();
}

Result<kit::Decision> TalliedHandlers::handle(const EventView& event, const Time& now) {
  auto decision = inner_->handle(event, now);
  if (!decision || decision->effect) return decision;
  if (auto counted = count(event); !counted) return counted.failure();
  return decision;
}

Result<kit::Facts> TalliedHandlers::complete(const EventView& event,
                                             const kit::Effect& effect,
                                             const Result<std::string>& answer,
                                             const Time& now) {
  auto facts = inner_->complete(event, effect, answer, now);
  if (!facts || (answer && inner_->unfinished(*answer))) return facts;
  if (auto counted = count(event); !counted) return counted.failure();
  return facts;
}

Result<> TalliedHandlers::count(const EventView& event) {
  const auto counted = database_.run(
      "INSERT INTO tally VALUES(?, 1)"
      " ON CONFLICT(event_id) DO UPDATE SET times = times + 1",
      {event.id.text()});
  return counted ? Result<>() : counted.failure();
}

void check_tally(kit::Database& database, const std::string& name, Report& report) {
  const auto repeats = database.all("SELECT event_id, times FROM tally WHERE times > 1");
  CONGA_CHECK(repeats.has_value(), "the tally can be read");
  for (const kit::Row& row : *repeats) {
    report.violations.push_back(name + ": dealt with " + row.text(0) + " "
                                + std::to_string(row.integer(1)) + " times");
  }
}

}  // namespace conga::simulation
