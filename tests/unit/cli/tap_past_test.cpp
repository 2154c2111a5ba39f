// SPDX-License-Identifier: Apache-2.0
//
// `conga tap --since`: the past, then what comes, without a gap and without repeats.

#include "cli/commands/tap.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using conga::Event;
using conga::Uuid;
using conga::cli::ExitCode;
using conga::cli::fault_of;
using conga::cli::LineSource;
using conga::cli::Look;
using conga::cli::Tap;
using conga::cli::TapOptions;
using conga::cli::testing::Desk;
using conga::cli::testing::PaperScreen;

namespace {

std::string event(int number) {
  Event made;
  made.id = Uuid::v5({}, std::to_string(number));
  made.source = "shop";
  made.detail_type = "Sold" + std::to_string(number);
  return encode(made);
}

/// An archive whose reader has nothing yet every second time.
class Past final : public LineSource {
public:
  explicit Past(std::vector<int> numbers, std::string fault = "")
      : numbers_(std::move(numbers)), fault_(std::move(fault)) {}

  Next next(std::string& line) override {
    late_ = !late_;
    if (late_) return Next::Later;
    if (numbers_.empty()) {
      line = fault_;
      return fault_.empty() ? Next::End : Next::Broken;
    }
    line = conga::to_json(conga::Value::trusted(event(numbers_.front())));
    numbers_.erase(numbers_.begin());
    return Next::Line;
  }

  std::optional<double> fraction() const override { return std::nullopt; }

private:
  std::vector<int> numbers_;
  std::string fault_;
  bool late_ = false;
};

/// The numbers of the events shown, in order.
std::string shown(const PaperScreen& screen) {
  std::string numbers;
  for (std::size_t at = screen.out.find("Sold"); at != std::string::npos;
       at = screen.out.find("Sold", at + 1)) {
    numbers += screen.out[at + 4];
  }
  return numbers;
}

struct Stage {
  explicit Stage(std::vector<int> past, TapOptions options, std::string fault = "")
      : tap(desk.settings(),
            options,
            nullptr,
            std::make_unique<Past>(std::move(past), std::move(fault)),
            screen,
            Look{.json = true}) {
    desk.answers["sidecar.status"] = "{}";
  }

  void live(int number) { desk.send("event/shop/Sold" + std::to_string(number), event(number)); }

  Desk desk;
  PaperScreen screen;
  Tap tap;
};

const TapOptions kFollow{.count = 5, .since = "1h", .journal = "j", .follow = true};

}  // namespace

TEST_CASE("the past is shown and that is all, unless it is to be followed") {
  Stage stage({1, 2, 3}, {.since = "1h", .journal = "j"});
  CHECK(stage.desk.run(stage.tap) == ExitCode::Done);
  CHECK(shown(stage.screen) == "123");
}

TEST_CASE("what comes while the past is read is shown after it, and once") {
  Stage stage({1, 2, 3, 4}, kFollow);
  while (stage.desk.asked.empty()) stage.desk.turn(stage.tap);
  stage.live(3);  // in the archive too
  stage.live(4);
  stage.live(5);
  CHECK(stage.desk.run(stage.tap) == ExitCode::Done);
  CHECK(shown(stage.screen) == "12345");
}

TEST_CASE("an event that arrives live after it was read from the archive is not shown again") {
  Stage stage({1, 2, 3, 4}, kFollow);
  for (int turn = 0; turn < 100 && shown(stage.screen) != "1234"; ++turn) {
    stage.desk.turn(stage.tap);
    stage.desk.advance(std::chrono::milliseconds(10));
  }
  stage.live(4);
  stage.desk.turn(stage.tap);
  stage.live(5);
  CHECK(stage.desk.run(stage.tap) == ExitCode::Done);
  CHECK(shown(stage.screen) == "12345");
}

TEST_CASE("the archive is not read before the sidecar has what was accepted before") {
  Stage stage({1}, kFollow);
  stage.desk.answers.clear();
  for (int turn = 0; turn < 20; ++turn) stage.desk.turn(stage.tap);
  CHECK(shown(stage.screen).empty());
}

TEST_CASE("without its sidecar the archive is shown, with a word of warning") {
  Stage stage({1}, {.since = "1h", .journal = "j"});
  stage.desk.refusals["sidecar.status"] = {"Unavailable", "down"};
  CHECK(stage.desk.run(stage.tap) == ExitCode::Done);
  CHECK(shown(stage.screen) == "1");
  CHECK(stage.screen.err.find("may be missing") != std::string::npos);
}

TEST_CASE("an archive that cannot be read ends the tap with the reason") {
  Stage stage({1}, kFollow, "segment 3 is damaged");
  CHECK(stage.desk.run(stage.tap) == ExitCode::Refused);
  CHECK(stage.screen.err == "conga: segment 3 is damaged\n");
}

TEST_CASE("options of tap that make no sense together are refused") {
  CHECK(fault_of(TapOptions{}).empty());
  CHECK(fault_of(TapOptions{.since = "1h"}).find("--journal") != std::string::npos);
  CHECK(fault_of(TapOptions{.follow = true}).find("--since") != std::string::npos);
  CHECK(fault_of(TapOptions{.topic = "t", .since = "1h", .journal = "j"}).find("--topic")
        != std::string::npos);
}
