// SPDX-License-Identifier: Apache-2.0

#include "cli/text.h"

#include "cli/progress.h"

#include <doctest/doctest.h>

#include <string>

using conga::Duration;
using conga::cli::Colour;
using conga::cli::Look;
using conga::cli::Table;

TEST_CASE("durations keep three or four digits and say their unit") {
  using conga::cli::human_duration;
  CHECK(human_duration(Duration(0)) == "0 us");
  CHECK(human_duration(Duration(999)) == "999 us");
  CHECK(human_duration(Duration(4'560)) == "4.56 ms");
  CHECK(human_duration(Duration(45'600)) == "45.6 ms");
  CHECK(human_duration(Duration(456'400)) == "456 ms");
  CHECK(human_duration(Duration(1'234'000)) == "1.234 s");
  CHECK(human_duration(Duration(12'340'000)) == "12.34 s");
  CHECK(human_duration(Duration(125'000'000)) == "2 m 05 s");
  CHECK(human_duration(std::chrono::minutes(200)) == "3 h 20 m");
  CHECK(human_duration(std::chrono::hours(52)) == "2 d 04 h");
  CHECK(human_duration(Duration(-4'560)) == "-4.56 ms");
  CHECK(conga::cli::human_offset(Duration(4'560)) == "+4.56 ms");
  CHECK(conga::cli::human_offset(Duration(-1)) == "-1 us");
}

TEST_CASE("text from events cannot drive a terminal") {
  using conga::cli::printable;
  CHECK(printable("plain é 日") == "plain é 日");
  CHECK(printable("a\x1b[2Jb\r\n\t") == R"(a\x1b[2Jb\x0d\x0a\x09)");
  CHECK(printable("\x7f") == R"(\x7f)");
  CHECK(printable("\xc2\x9b"
                  "31m")
        == R"(\x9b31m)");
  CHECK(printable("\xc2\xa7 5") == "\xc2\xa7 5");
}

TEST_CASE("colours appear only where the look has them") {
  CHECK(conga::cli::paint({}, Colour::Red, "no") == "no");
  const Look terminal{.colour = true};
  CHECK(conga::cli::paint(terminal, Colour::Red, "no") == "\x1b[31mno\x1b[0m");
  CHECK(conga::cli::paint(terminal, Colour::Plain, "no") == "no");
  CHECK(conga::cli::paint(terminal, Colour::Red, "").empty());
}

TEST_CASE("a table aligns its columns, numbers to the right, and ends no line with blanks") {
  Table table({"NAME", "COUNT", "NOTE"});
  table.add({{.text = "ü"}, {.text = "7", .right = true}, {.text = "short"}});
  table.add({{.text = "longer"}, {.text = "1234567", .right = true}});
  CHECK(table.text({})
        == "NAME      COUNT  NOTE\n"
           "ü             7  short\n"
           "longer  1234567\n");
}

TEST_CASE("only the time of day of a time is shown, in UTC") {
  CHECK(conga::cli::time_of_day("2026-11-23T10:00:00.5+01:00") == "09:00:00.500000");
  CHECK(conga::cli::time_of_day("soon\n") == R"(soon\x0a)");
}

TEST_CASE("the progress line shows a bar only when the end is known") {
  using conga::cli::progress_line;
  CHECK(progress_line(
            {.done = 1240, .refused = 1, .fraction = 0.5, .elapsed = std::chrono::seconds(2)}, 100)
        == " 50% [############------------] 1240 events, 620/s, 1 refused, 2.000 s left");
  CHECK(progress_line({.done = 1, .fraction = {}, .elapsed = std::chrono::seconds(1)}, 100)
        == "1 event, 1/s");
  CHECK(progress_line({.done = 1240, .fraction = 1.0, .elapsed = std::chrono::seconds(2)}, 12)
        == "100% [######");
}
