// SPDX-License-Identifier: Apache-2.0

#include "common/log/log.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using conga::CapturingSink;
using conga::Log;
using conga::LogField;
using conga::LogLevel;
using conga::LogLine;
using conga::Time;
using namespace std::chrono_literals;

namespace {

struct Capture {
  std::shared_ptr<CapturingSink> sink = std::make_shared<CapturingSink>();
  Log log{"bus", LogLevel::Info, sink};
  Time now;

  const std::vector<std::string>& lines() const { return sink->lines(); }
};

}  // namespace

TEST_CASE("a line has its level, channel, message and fields") {
  Capture capture;
  capture.log.info("rules loaded", {{"rules", 12}, {"file", "my rules.yaml"}, {"took", 1500us}});
  capture.log.channel("link").warning("down", {{"up", false}, {"peer", std::string("a=b")}});
  REQUIRE(capture.lines().size() == 2);
  CHECK(capture.lines()[0] == "info bus: rules loaded rules=12 file=\"my rules.yaml\" took=1500us");
  CHECK(capture.lines()[1] == "warning bus.link: down up=false peer=\"a=b\"");
}

TEST_CASE("lines below the level, and lines of the null log, are not written") {
  Capture capture;
  capture.log.debug("detail");
  CHECK(capture.lines().empty());
  Log::null().error("nobody hears it");
}

TEST_CASE("a repeated complaint is written once a second, with the number left out") {
  Capture capture;
  for (int repeat = 0; repeat < 5; ++repeat) capture.log.complain(capture.now, "frame", "garbage");
  capture.log.complain(capture.now, "other", "another kind");
  REQUIRE(capture.lines().size() == 2);
  capture.now.steady += 1s;
  capture.log.complain(capture.now, "frame", "garbage");
  REQUIRE(capture.lines().size() == 3);
  CHECK(capture.lines()[2] == "warning bus: garbage (4 like it left out)");
}

TEST_CASE("what was left out is told even if the complaint never comes again") {
  Capture capture;
  for (int repeat = 0; repeat < 3; ++repeat) capture.log.complain(capture.now, "frame", "garbage");
  capture.log.on_time(capture.now);
  CHECK(capture.lines().size() == 1);
  capture.now.steady += 1s;
  capture.log.on_time(capture.now);
  capture.log.on_time(capture.now);
  REQUIRE(capture.lines().size() == 2);
  CHECK(capture.lines()[1] == "warning bus: frame: 2 more like it left out");
}

TEST_CASE("kinds made of text from outside share a limit once there are many") {
  Capture capture;
  for (int kind = 0; kind < 1000; ++kind) {
    capture.log.complain(capture.now, std::to_string(kind), "garbage");
  }
  CHECK(capture.lines().size() == 64);
}

TEST_CASE("control characters from outside reach neither terminal nor line structure") {
  const std::string message = "bad topic \x1b[31m";
  CHECK(conga::format_text(message, {}) == "bad topic \\u001b[31m");
  const LogField field("topic", "a\nb\"c");
  const conga::LogFields fields(&field, 1);
  CHECK(conga::format_text("x", fields) == R"(x topic="a\nb\"c")");
  const LogField count("count", 3);
  CHECK(conga::format_json_members({LogLevel::Error, "bus", "say \"hi\"\n", {&count, 1}})
        == R"("channel":"bus","message":"say \"hi\"\n","count":3)");
}
