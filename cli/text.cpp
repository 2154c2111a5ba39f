// SPDX-License-Identifier: Apache-2.0

#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace conga::cli {
namespace {

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::Plain:
      return "";
    case Colour::Bold:
      return "\x1b[1m";
    case Colour::Dim:
      return "\x1b[2m";
    case Colour::Red:
      return "\x1b[31m";
    case Colour::Green:
      return "\x1b[32m";
    case Colour::Yellow:
      return "\x1b[33m";
    case Colour::Cyan:
      return "\x1b[36m";
  }
  return "";
}

bool is_control(unsigned char byte) {
  return byte < 0x20U || byte == 0x7fU;
}

/// C1 control characters are U+0080 to U+009F: in UTF-8 C2 80 to C2 9F.
bool is_c1(std::string_view text, std::size_t at) {
  return text[at] == '\xc2' && at + 1 < text.size()
         && static_cast<unsigned char>(text[at + 1]) < 0xa0U;
}

void append_escaped(std::string& out, char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(byte);
  out += "\\x";
  out += kHex[code >> 4U];
  out += kHex[code & 0xfU];
}

std::string decimals(double value, int places, std::string_view unit) {
  std::array<char, 48> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.*f ", places, value);
  return std::string(text.data(), static_cast<std::size_t>(size)) + std::string(unit);
}

std::string pair_of_units(std::int64_t big,
                          std::string_view big_unit,
                          std::int64_t small,
                          std::string_view small_unit) {
  return std::to_string(big) + " " + std::string(big_unit) + (small < 10 ? " 0" : " ")
         + std::to_string(small) + " " + std::string(small_unit);
}

std::string line_of(const std::vector<Cell>& row,
                    const std::vector<std::size_t>& widths,
                    const Look& look) {
  std::string line;
  std::string blanks;  // Held back, so that no line ends with them.
  for (std::size_t column = 0; column < row.size(); ++column) {
    const Cell& cell = row[column];
    const std::string padding(widths[column] - columns_of(cell.text), ' ');
    if (cell.right) blanks += padding;
    if (!cell.text.empty()) line += std::exchange(blanks, {}) + paint(look, cell.colour, cell.text);
    blanks += (cell.right ? std::string() : padding) + "  ";
  }
  return line + "\n";
}

/// Digits that make three or four in all: 4.56, 45.6, 456.
int places_of(double value) {
  if (value < 10) return 2;
  return value < 100 ? 1 : 0;
}

}  // namespace

std::string paint(const Look& look, Colour colour, std::string_view text) {
  if (!look.colour || colour == Colour::Plain || text.empty()) return std::string(text);
  return std::string(escape_of(colour)) + std::string(text) + "\x1b[0m";
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_c1(text, at)) {
      append_escaped(out, text[++at]);
    } else if (is_control(static_cast<unsigned char>(text[at]))) {
      append_escaped(out, text[at]);
    } else {
      out += text[at];
    }
  }
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    out += printable(text.substr(0, end)) + "\n";
    text.remove_prefix(end + 1);
  }
  return out + printable(text);
}

std::string decimal(double value) {
  constexpr double kWhole = 100.0;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < kWhole ? "%.1f" : "%.0f", value);
  return text.data();
}

std::string human_duration(Duration duration) {
  const std::int64_t micros = duration.count();
  if (micros < 0) return "-" + human_duration(-duration);
  if (micros < 1000) return std::to_string(micros) + " us";
  const double millis = static_cast<double>(micros) / 1000.0;
  if (millis < 999.5) return decimals(millis, places_of(millis), "ms");
  const double seconds = millis / 1000.0;
  if (seconds < 9.9995) return decimals(seconds, 3, "s");
  if (seconds < 59.995) return decimals(seconds, 2, "s");
  const std::int64_t whole = (micros + 500'000) / 1'000'000;
  if (whole < 3600) return pair_of_units(whole / 60, "m", whole % 60, "s");
  if (whole < 86400) return pair_of_units(whole / 3600, "h", whole / 60 % 60, "m");
  return pair_of_units(whole / 86400, "d", whole / 3600 % 24, "h");
}

std::string human_offset(Duration duration) {
  return (duration.count() < 0 ? "" : "+") + human_duration(duration);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string time_of_day(std::string_view rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time) return printable(rfc3339);
  constexpr std::size_t kDate = std::string_view("2026-11-23T").size();
  constexpr std::size_t kClock = std::string_view("10:00:00.123456").size();
  return format_rfc3339(*time).substr(kDate, kClock);
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
  }));
}

Table::Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}

void Table::add(std::vector<Cell> row) {
  row.resize(heading_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text(const Look& look) const {
  std::vector<std::size_t> widths;
  std::vector<Cell> heading;
  for (std::size_t column = 0; column < heading_.size(); ++column) {
    std::size_t width = columns_of(heading_[column]);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[column].text));
    widths.push_back(width);
    const bool right = !rows_.empty() && rows_.front()[column].right;
    heading.push_back({.text = heading_[column], .colour = Colour::Bold, .right = right});
  }
  std::string out = line_of(heading, widths, look);
  for (const auto& row : rows_) out += line_of(row, widths, look);
  return out;
}

std::string text_of(const Value& map, std::string_view key) {
  const auto member = map.find(key);
  const auto text = member ? member->string() : std::nullopt;
  return text ? printable(*text) : std::string();
}

std::uint64_t count_of(const Value& map, std::string_view key) {
  const auto member = map.find(key);
  return member ? member->uint64().value_or(0) : 0;
}

}  // namespace conga::cli
