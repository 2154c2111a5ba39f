// SPDX-License-Identifier: Apache-2.0

#include "common/core/clock.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>

namespace conga {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes exactly `digits` decimal digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<WallTime> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date));
}

std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return Duration(0);
  std::int64_t micros = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (digits < 6) micros = micros * 10 + (text.front() - '0');
    ++digits;
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (int at = digits; at < 6; ++at) micros *= 10;
  return Duration(micros);
}

std::optional<Duration> take_time_of_day(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second, which POSIX time folds
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return hours(*hour) + minutes(*minute) + seconds(*second) + *fraction;
}

std::optional<Duration> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return Duration(0);
  const bool negative = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const Duration offset = hours(*hour) + minutes(*minute);
  return negative ? -offset : offset;
}

struct Unit {
  std::string_view name;
  Duration size;
};

/// Largest first: format_duration() takes the first that divides.
constexpr std::array<Unit, 6> kUnits{{{"d", days(1)},
                                      {"h", hours(1)},
                                      {"m", minutes(1)},
                                      {"s", seconds(1)},
                                      {"ms", std::chrono::milliseconds(1)},
                                      {"us", Duration(1)}}};

}  // namespace

Time SystemClock::now() const {
  return {std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()),
          std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
}

std::string format_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(time - day);
  std::array<char, 48> text{};
  const int size = std::snprintf(text.data(),
                                 text.size(),
                                 "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                                 static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()),
                                 static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto date = take_date(rest);
  const bool separated = date && take(rest, "Tt ");
  const auto clock = separated ? take_time_of_day(rest) : std::nullopt;
  const auto offset = clock ? take_offset(rest) : std::nullopt;
  if (!offset || !rest.empty()) {
    return fail(
        Fault::Permanent,
        std::string("'").append(text) + "' is not an RFC 3339 time such as 2026-11-23T06:27:40Z");
  }
  return *date + *clock - *offset;
}

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& candidate : kUnits) {
    if (error != std::errc() || count < 0 || unit != candidate.name) continue;
    if (count > std::numeric_limits<std::int64_t>::max() / candidate.size.count()) break;
    return candidate.size * count;
  }
  return fail(Fault::Permanent,
              "'" + std::string(text)
                  + "' is not a duration: write a whole number and one of us, ms, s, m, h, d, "
                    "such as 200ms");
}

std::string format_duration(Duration duration) {
  if (duration == Duration(0)) return "0s";
  for (const Unit& unit : kUnits) {
    if (duration % unit.size == Duration(0)) {
      return std::to_string(duration / unit.size).append(unit.name);
    }
  }
  return std::to_string(duration.count()) + "us";
}

}  // namespace conga
