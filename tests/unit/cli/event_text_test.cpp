// SPDX-License-Identifier: Apache-2.0

#include "cli/event_text.h"

#include "cli/line_source.h"
#include "common/core/random.h"
#include "common/wire/event/json.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>

using conga::cli::complete_event;
using conga::cli::LineSource;
using conga::cli::testing::packed;

namespace {

struct Maker {
  conga::Random random{1};
  conga::UuidFactory ids{random};
  conga::WallTime now = conga::parse_rfc3339("2026-11-23T10:00:00Z").value();

  conga::Result<conga::cli::CompleteEvent> make(std::string_view json) {
    return complete_event(json, ids, now);
  }
};

}  // namespace

TEST_CASE("an event gets an id and the time if it has none, and keeps all else as it is") {
  Maker maker;
  const auto event = maker.make(
      R"({"source":"shop","detail-type":"Sold","detail":{"n":18446744073709551615},"extra":[1.0]})");
  REQUIRE(event);
  const std::string id = event->id.text();
  CHECK(conga::to_json(conga::Value::trusted(event->bytes))
        == R"({"id":")" + id
               + R"(","source":"shop","detail-type":"Sold","detail":{"n":18446744073709551615},)"
                 R"("extra":[1.0],"time":"2026-11-23T10:00:00.000000Z"})");
}

TEST_CASE("an event that says its id and time keeps them") {
  Maker maker;
  const std::string json =
      R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"shop","detail-type":"Sold",)"
      R"("detail":{},"time":"2020-01-01T00:00:00Z"})";
  const auto event = maker.make(json);
  REQUIRE(event);
  CHECK(conga::to_json(conga::Value::trusted(event->bytes)) == json);
}

TEST_CASE("what is no event is refused with a code and a reason") {
  Maker maker;
  for (const char* json : {"",
                           "[]",
                           "{\"source\":",
                           R"({"detail-type":"Sold","detail":{}})",
                           R"({"id":"7","source":"shop","detail-type":"Sold","detail":{}})"}) {
    CAPTURE(json);
    const auto event = maker.make(json);
    REQUIRE_FALSE(event);
    CHECK(event.error().code == "InvalidEvent");
    CHECK_FALSE(event.error().what.empty());
  }
}

TEST_CASE("a terminal shows an event on a heading line and its detail below") {
  const std::string bytes = packed(
      R"({"id":"01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11","source":"shop","detail-type":"Sold",)"
      R"("detail":{"total":42,"note":"\u009b31m"},"time":"2026-11-23T10:00:00.25Z","correlation-id":"A-7"})");
  CHECK(conga::cli::pretty_event(conga::read_event(bytes).value(), {})
        == "10:00:00.250000  Sold  shop  01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11  A-7\n"
           "    {\n"
           "      \"total\": 42,\n"
           "      \"note\": \"\\x9b31m\"\n"
           "    }\n");
}

TEST_CASE("a repeated line comes as often as asked and knows how far it is") {
  const auto lines = conga::cli::repeat_line("{}", 2);
  std::string line;
  CHECK(lines->fraction() == 0.0);
  CHECK(lines->next(line) == LineSource::Next::Line);
  CHECK(line == "{}");
  CHECK(lines->fraction() == 0.5);
  CHECK(lines->next(line) == LineSource::Next::Line);
  CHECK(lines->next(line) == LineSource::Next::End);
}

TEST_CASE("a file that is not there is a fault that names it") {
  const auto lines = conga::cli::open_lines("/nowhere/events.jsonl");
  REQUIRE_FALSE(lines);
  CHECK(lines.error().what == "/nowhere/events.jsonl: No such file or directory");
}
