// SPDX-License-Identifier: Apache-2.0
//
// Text for people: colours, tables, durations, and field access that never fails. What comes from
// events is shown with its control characters spelled out, so that no event can drive a terminal.

#pragma once

#include "cli/screen.h"
#include "common/core/clock.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::cli {

enum class Colour : std::uint8_t { Plain, Bold, Dim, Red, Green, Yellow, Cyan };

/// `text` in that colour if the look wants colours, else as it is.
std::string paint(const Look& look, Colour colour, std::string_view text);

/// `text` with control characters (C0, DEL, C1) written as `\x1b`.
std::string printable(std::string_view text);

/// As printable(), but lines stay lines.
std::string printable_lines(std::string_view text);

/// Three or four digits and a unit: `123 us`, `4.56 ms`, `1.234 s`, `2 m 05 s`, `3 h 20 m`, `2 d 4
/// h`.
std::string human_duration(Duration duration);

/// `56.7`; from 100 on without a fraction.
std::string decimal(double value);

/// `+`, then human_duration().
std::string human_offset(Duration duration);

/// `3 events`, `1 event`.
std::string counted(std::uint64_t count, std::string_view noun);

/// The time of day of an RFC 3339 text in UTC, `10:00:00.123456`; the text itself if it is none.
std::string time_of_day(std::string_view rfc3339);

/// Code points, as a stand-in for columns: exact for everything that conga itself prints.
std::size_t columns_of(std::string_view text);

struct Cell {
  std::string text{};
  Colour colour = Colour::Plain;
  bool right = false;  ///< Flush right, for numbers.
};

/// Rows under a heading, columns aligned, two spaces between; no trailing blanks.
class Table {
public:
  explicit Table(std::vector<std::string> heading);

  void add(std::vector<Cell> row);

  bool empty() const { return rows_.empty(); }

  std::string text(const Look& look) const;

private:
  std::vector<std::string> heading_;
  std::vector<std::vector<Cell>> rows_;
};

/// The member's text, made printable; empty if it is absent or no text.
std::string text_of(const Value& map, std::string_view key);

/// The member's number; 0 if it is absent or no natural number.
std::uint64_t count_of(const Value& map, std::string_view key);

}  // namespace conga::cli
