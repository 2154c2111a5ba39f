// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/put.h"

#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>

using conga::EventView;
using conga::PutResult;
using conga::cli::ExitCode;
using conga::cli::LineSource;
using conga::cli::Look;
using conga::cli::Put;
using conga::cli::PutOptions;
using conga::cli::testing::Desk;
using conga::cli::testing::PaperScreen;

namespace {

constexpr const char* kEvent = R"({"source":"shop","detail-type":"Sold","detail":{}})";

/// A pipe: lines that come one by one, and an end only if the test says so.
class Pipe final : public LineSource {
public:
  Next next(std::string& line) override {
    if (lines.empty()) return closed ? Next::End : Next::Later;
    line = lines.front();
    lines.pop_front();
    return Next::Line;
  }

  std::optional<double> fraction() const override { return std::nullopt; }

  std::deque<std::string> lines;
  bool closed = true;
};

struct Bench {
  Desk desk;
  PaperScreen screen;
  conga::Random random{1};
  PutOptions options{.input = "-"};
  Look look;
  std::unique_ptr<Pipe> pipe = std::make_unique<Pipe>();

  Put command() { return {desk.settings(), options, std::move(pipe), random, screen, look}; }
};

}  // namespace

TEST_CASE("put prints an id when the bus has answered for it, and not before") {
  Bench bench;
  bench.pipe->lines = {kEvent};
  bench.desk.judge = [](const EventView&) { return PutResult{}; };
  Pipe& pipe = *bench.pipe;
  pipe.closed = true;
  Put put = bench.command();
  for (int turn = 0; turn < 10; ++turn) bench.desk.turn(put);
  REQUIRE(bench.desk.events.size() == 1);
  CHECK(bench.screen.out.empty());
  std::string id = bench.desk.events[0].substr(std::string_view(R"({"id":")").size(), 36);
  std::string body;
  append(body, PutResult{.event_id = id, .code = {}, .message = {}});
  bench.desk.send("put-result/conga-test", body);
  CHECK(bench.desk.run(put) == ExitCode::Done);
  CHECK(bench.screen.out == id + "\n");
  CHECK(bench.screen.err.empty());
}

TEST_CASE("put reports what is refused with its line, goes on, and exits 1") {
  Bench bench;
  bench.pipe->lines = {
      kEvent, "", "{\"source\":", R"({"source":"bad","detail-type":"Sold","detail":{}})"};
  bench.desk.judge = [](const EventView& event) {
    const bool bad = event.source == "bad";
    return PutResult{.event_id = event.id.text(),
                     .code = bad ? "InvalidEvent" : "",
                     .message = bad ? "too \x1b[bad" : ""};
  };
  Put put = bench.command();
  CHECK(bench.desk.run(put) == ExitCode::Refused);
  CHECK(bench.screen.err.find("line 3: refused: InvalidEvent: ") != std::string::npos);
  CHECK(bench.screen.err.find("line 4: refused: InvalidEvent: too \\x1b[bad (")
        != std::string::npos);
  CHECK(bench.screen.err.find("1 event accepted in ") != std::string::npos);
  CHECK(bench.screen.err.find(", 2 refused\n") != std::string::npos);
}

TEST_CASE("put says in JSON what became of each line") {
  Bench bench;
  bench.look.json = true;
  bench.pipe->lines = {
      R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"s","detail-type":"Sold","detail":{}})",
      "[]"};
  Put put = bench.command();
  CHECK(bench.desk.run(put) == ExitCode::Refused);
  CHECK(
      bench.screen.out
      == R"({"line":2,"id":"","result":"refused","code":"InvalidEvent","message":"an event is a JSON object: {\"source\": …}"})"
         "\n"
         R"({"line":1,"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","result":"ok"})"
         "\n");
  CHECK(bench.screen.err.empty());
}

TEST_CASE("two lines with one id are one event, and both are answered") {
  Bench bench;
  const std::string line =
      R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"s","detail-type":"Sold","detail":{}})";
  bench.pipe->lines = {line, line};
  Put put = bench.command();
  CHECK(bench.desk.run(put) == ExitCode::Done);
  CHECK(bench.desk.events.size() == 1);
  CHECK(bench.screen.out.size() == 2 * 37);
}

TEST_CASE("put keeps to its rate") {
  Bench bench;
  bench.options = {.count = 11, .rate = 10};
  Put put(bench.desk.settings(),
          bench.options,
          conga::cli::repeat_line(kEvent, 11),
          bench.random,
          bench.screen,
          bench.look);
  const auto start = bench.desk.now.steady;
  CHECK(bench.desk.run(put) == ExitCode::Done);
  CHECK(bench.desk.events.size() == 11);
  CHECK(bench.desk.now.steady - start >= std::chrono::seconds(1));
  CHECK(bench.desk.now.steady - start < std::chrono::milliseconds(1200));
}

TEST_CASE("put waits for a slow pipe and ends at Ctrl-C once all is answered") {
  Bench bench;
  Pipe& pipe = *bench.pipe;
  pipe.closed = false;
  pipe.lines = {kEvent};
  Put put = bench.command();
  for (int turn = 0; turn < 100; ++turn) {
    bench.desk.turn(put);
    bench.desk.advance(std::chrono::milliseconds(10));
  }
  CHECK_FALSE(put.exit_code());
  CHECK(bench.screen.out.size() == 37);
  put.drain(bench.desk.now);
  CHECK(bench.desk.run(put) == ExitCode::Done);
}

TEST_CASE(
    "put gives up on a bus that accepts nothing, and says that the events may not be durable") {
  Bench bench;
  bench.pipe->lines = {kEvent};
  bench.desk.judge = [](const EventView&) { return PutResult{}; };
  Put put = bench.command();
  const auto start = bench.desk.now.steady;
  CHECK(bench.desk.run(put) == ExitCode::NoBus);
  CHECK(bench.desk.now.steady - start >= std::chrono::seconds(30));
  CHECK(bench.screen.err.find("1 event put and not answered for") != std::string::npos);
}

TEST_CASE("put gives more events than its window holds, all answered") {
  Bench bench;
  bench.options = {.count = 5000};
  Put put(bench.desk.settings(),
          bench.options,
          conga::cli::repeat_line(kEvent, 5000),
          bench.random,
          bench.screen,
          bench.look);
  CHECK(bench.desk.run(put) == ExitCode::Done);
  CHECK(bench.desk.events.size() == 5000);
  CHECK(bench.screen.out.size() == 5000 * 37);
}

TEST_CASE("flags make an event, and contradictions are refused") {
  using conga::cli::open_input;
  std::string line;
  const auto lines = open_input({.source = "shop",
                                 .detail_type = "Sold",
                                 .detail = R"({"total": 42})",
                                 .correlation_id = "A-7",
                                 .key = "k\"1"});
  REQUIRE(lines);
  CHECK((*lines)->next(line) == LineSource::Next::Line);
  CHECK(
      line
      == R"({"source":"shop","detail-type":"Sold","correlation-id":"A-7","key":"k\"1","detail":{"total":42}})");

  CHECK_FALSE(open_input({}));
  CHECK_FALSE(open_input({.source = "shop"}));
  CHECK_FALSE(open_input({.input = kEvent, .source = "shop"}));
  CHECK_FALSE(open_input({.input = "-", .count = 2}));
  CHECK_FALSE(open_input({.source = "shop", .detail_type = "Sold", .detail = "{"}));
  CHECK_FALSE(open_input({.source = "shop", .detail_type = "Sold", .id = "x", .count = 2}));
  CHECK(open_input({.input = kEvent, .count = 2}));
}

TEST_CASE("rates are events a second") {
  using conga::cli::parse_rate;
  CHECK(parse_rate("500/s").value() == 500);
  CHECK(parse_rate("0.5").value() == 0.5);
  for (const char* text : {"", "0", "-1", "fast", "5/m", "inf", "nan"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate(text));
  }
}
