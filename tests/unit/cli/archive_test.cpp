// SPDX-License-Identifier: Apache-2.0

#include "cli/archive.h"

#include "cli/commands/replay.h"
#include "cli/replay_lines.h"
#include "common/io/small_files.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "tests/support/mem_files.h"

#include <doctest/doctest.h>

#include <string>

using conga::Event;
using conga::LogPosition;
using conga::SystemClock;
using conga::Uuid;
using conga::WallTime;
using conga::cli::LineSource;
using conga::cli::open_bookmark;
using conga::cli::open_replay;
using conga::cli::parse_speed;
using conga::cli::parse_when;
using conga::cli::replayed;
using conga::cli::ReplayOptions;
using conga::cli::settled;

namespace {

const WallTime kNow{std::chrono::hours(490'000)};

}  // namespace

TEST_CASE("a time is how long ago it was, or RFC 3339") {
  CHECK(parse_when("24h", kNow) == kNow - std::chrono::hours(24));
  const auto exact = parse_when("2026-11-23T10:00:00Z", kNow);
  REQUIRE(exact);
  CHECK(conga::format_rfc3339(*exact).starts_with("2026-11-23T10:00:00"));
  CHECK(parse_when("yesterday", kNow).error().what.find("write how long ago") != std::string::npos);
}

TEST_CASE("a speed is so many times, or max") {
  CHECK(parse_speed("10x")->speed == 10);
  CHECK(parse_speed("0.5x")->speed == 0.5);
  CHECK(parse_speed("max")->speed == 0);
  for (const char* wrong : {"10", "x", "-1x", "0x", "fast"}) CHECK_FALSE(parse_speed(wrong));
}

TEST_CASE("a replayed event has an id of its own, its original as cause, and the replay's name") {
  Event event;
  event.id = Uuid::v5(Uuid(), "one");
  event.source = "shop";
  event.detail_type = "Placed";
  event.causation_id = Uuid::v5(Uuid(), "cause");
  event.key = "k";
  const std::string bytes = conga::encode(event);
  const auto original = conga::read_event(bytes);
  REQUIRE(original);
  const std::string again = replayed(*original, "fix");
  const auto view = conga::read_event(again);
  REQUIRE(view);
  CHECK(view->id != original->id);
  CHECK(view->causation_id == original->id);
  CHECK(view->replay_name == "fix");
  CHECK(view->key == "k");
  CHECK(view->detail_type == "Placed");
  CHECK(replayed(*original, "fix") == again);
  const std::string some = replayed(*original, "fix", {.rules = {"r"}, .targets = {"t"}});
  CHECK(conga::to_json(conga::read_event(some)->replay_to) == R"({"rules":["r"],"targets":["t"]})");
  CHECK(conga::read_event(replayed(*original, "other"))->id != view->id);
}

TEST_CASE("a replay is resumed as it was begun, behind the last event that is done with") {
  conga::testing::MemFiles files;
  ReplayOptions options;
  options.choice = {.journal = "/var/journal", .since = "1h", .pattern = R"({"source":["shop"]})"};
  options.to = {.rules = {"r"}, .targets = {"t", "u"}};
  options.name = "fix";
  options.speed = "10x";
  options.rate = 2.5;
  options.state = "/state/fix.json";
  const auto begun = settled(files, options, kNow);
  REQUIRE(begun);
  CHECK(begun->choice.until == conga::format_rfc3339(kNow));
  REQUIRE((*open_bookmark(files, *begun))->keep(41));
  ReplayOptions again;
  again.resume = "fix";
  again.state = options.state;
  const auto found = settled(files, again, kNow + std::chrono::hours(5));
  REQUIRE(found);
  CHECK(found->choice.after == 41);
  CHECK(found->choice.since == conga::format_rfc3339(kNow - std::chrono::hours(1)));
  CHECK(found->choice.until == begun->choice.until);
  CHECK(found->choice.pattern == options.choice.pattern);
  CHECK(found->to.rules == options.to.rules);
  CHECK(found->to.targets == options.to.targets);
  CHECK(found->speed == "10x");
  CHECK(found->rate == 2.5);
  CHECK(found->patience == options.patience);

  again.resume = "other";
  CHECK(settled(files, again, kNow).error().what.find("'fix'") != std::string::npos);
  REQUIRE(conga::replace_file(files, options.state, "{}"));
  CHECK_FALSE(settled(files, again, kNow));
  REQUIRE((*open_bookmark(files, *begun))->finish());
  CHECK(settled(files, again, kNow).error().what.find("no replay 'other'") != std::string::npos);
}

TEST_CASE("a replay of a journal that is not there says so") {
  const SystemClock clock;
  const auto lines = open_replay({.journal = "/nowhere"}, "fix", {}, {}, clock);
  REQUIRE(lines);
  std::string line;
  (*lines)->wait();
  while ((*lines)->next(line) == LineSource::Next::Later) (*lines)->wait();
  CHECK(line.find("/nowhere: cannot list") != std::string::npos);
}
