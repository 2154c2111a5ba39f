// SPDX-License-Identifier: Apache-2.0

#include "common/core/clock.h"

#include <doctest/doctest.h>

#include <chrono>

using conga::Duration;
using conga::format_duration;
using conga::format_rfc3339;
using conga::parse_duration;
using conga::parse_rfc3339;
using namespace std::chrono_literals;

TEST_CASE("an RFC 3339 time reads back to the microsecond") {
  for (const char* text : {"2026-11-23T06:27:40.123456Z",
                           "1970-01-01T00:00:00.000000Z",
                           "1969-12-31T23:59:59.999999Z",
                           "2024-02-29T12:00:00.000001Z"}) {
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    CHECK(format_rfc3339(*time) == text);
  }
}

TEST_CASE("offsets, short and long fractions mean the same instant") {
  const auto time = parse_rfc3339("2026-11-23T06:27:40.5Z");
  REQUIRE(time);
  CHECK(*parse_rfc3339("2026-11-23T08:27:40.500+02:00") == *time);
  CHECK(*parse_rfc3339("2026-11-22t22:27:40.500000000-08:00") == *time);
}

TEST_CASE("what is not an RFC 3339 time is refused") {
  for (const char* text : {"",
                           "2026-11-23",
                           "2026-11-23T06:27:40",
                           "2026-02-30T06:27:40Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T06:27:40.Z",
                           "2026-11-23T06:27:40Zjunk"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("durations have one unit and read back") {
  CHECK(*parse_duration("200ms") == 200ms);
  CHECK(*parse_duration("24h") == 24h);
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(24h) == "1d");
  CHECK(format_duration(Duration(0)) == "0s");
  for (const char* text : {"", "5", "-1s", "1.5s", "10 s", "9223372036854775807d", "s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}
