// SPDX-License-Identifier: Apache-2.0

#include "services/booking/request_check.h"

#include "services/contract/currency.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>
#include <string_view>

namespace conga::booking {
namespace {

constexpr std::size_t kMaxPassengers = 9;  // more is a group booking, which airlines sell otherwise
constexpr std::size_t kMaxText = 200;

using Faults = std::vector<std::string>;

/// Text that goes into mail headers and tables: no control characters, not endless.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxText && std::ranges::none_of(text, [](char letter) {
    const auto code = static_cast<unsigned char>(letter);
    return code < 0x20 || code == 0x7f;
  });
}

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// The shape `local@domain.tld`; whether it exists only a mail can tell.
bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (!is_plain(text) || at == 0 || at == std::string_view::npos) return false;
  const std::string_view domain = text.substr(at + 1);
  return text.find_first_of(" <>,;\"()\\", 0) == std::string_view::npos
         && domain.find('@') == std::string_view::npos && domain.find('.') != std::string_view::npos
         && !domain.starts_with('.') && !domain.ends_with('.');
}

/// E.164: a plus, a country code that does not begin with 0, at most 15 digits.
bool is_phone(std::string_view text) {
  return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0'
         && std::ranges::all_of(text.substr(1), is_digit);
}

bool is_card(std::string_view text) {
  return text.size() >= 12 && text.size() <= 19 && std::ranges::all_of(text, is_digit);
}

/// The parts of BCP 47 that tell a language: `de`, `pt-BR`.
bool is_language(std::string_view text) {
  const auto is_lower = [](char letter) { return letter >= 'a' && letter <= 'z'; };
  const auto is_alphanumeric = [&](char letter) {
    return is_digit(letter) || is_lower(letter) || (letter >= 'A' && letter <= 'Z');
  };
  const std::string_view primary = text.substr(0, text.find('-'));
  if (primary.size() < 2 || primary.size() > 3 || !std::ranges::all_of(primary, is_lower))
    return false;
  text.remove_prefix(primary.size());
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view part = text.substr(0, text.find('-'));
    if (part.empty() || part.size() > 8 || !std::ranges::all_of(part, is_alphanumeric))
      return false;
    text.remove_prefix(part.size());
  }
  return true;
}

std::optional<int> number(std::string_view digits) {
  int value = 0;
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

/// Of `2026-12-01`, if there is such a day.
std::optional<std::chrono::sys_days> day_of(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number(text.substr(0, 4));
  const auto month = number(text.substr(5, 2));
  const auto day = number(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::chrono::sys_days day_of(WallTime now) {
  return std::chrono::floor<std::chrono::days>(now);
}

void check_date(const contract::Trip& trip, WallTime now, Faults& faults) {
  if (trip.date.empty()) return;  // the next day's
  const auto day = day_of(trip.date);
  if (!day) {
    faults.emplace_back("date: is no date such as 2026-12-01");
  } else if (*day < day_of(now)) {
    faults.emplace_back("date: has passed");
  } else if (*day > day_of(now) + std::chrono::days(kDaysOnSale)) {
    faults.push_back("date: seats are on sale for " + std::to_string(kDaysOnSale) + " days ahead");
  }
}

/// The fare is checked against what the flight costs: the customer pays what he was shown.
void check_flight(const contract::Trip& trip, const Flights& flights, Faults& faults) {
  if (!contract::decimals_of(trip.fare.currency)) {
    faults.emplace_back("fare: the currency is no code of ISO 4217");
  }
  if (trip.fare.amount <= 0) faults.emplace_back("fare: must be above 0");
  const auto flight = flights.find(trip.flight);
  if (flight == flights.end())
    return faults.push_back("flight: " + trip.flight + " is not on sale");
  const auto fare = flight->second.fares.find(trip.cabin);
  if (fare == flight->second.fares.end()) {
    return faults.push_back("cabin: " + trip.flight + " has no " + trip.cabin);
  }
  const contract::Money due{
      .amount = fare->second.amount * static_cast<std::int64_t>(trip.passengers.size()),
      .currency = fare->second.currency};
  if (trip.fare == due || trip.fare.amount <= 0 || trip.passengers.empty()) return;
  faults.push_back("fare: " + trip.flight + " in " + trip.cabin + " costs "
                   + std::to_string(due.amount) + " " + due.currency + " (minor units) for "
                   + std::to_string(trip.passengers.size()));
}

void check_passengers(const contract::Trip& trip, Faults& faults) {
  if (trip.passengers.empty() || trip.passengers.size() > kMaxPassengers) {
    faults.emplace_back("passengers: from 1 to 9 can be booked together");
  }
  std::set<std::string_view> names;
  for (const contract::Passenger& passenger : trip.passengers) {
    if (!is_plain(passenger.name)) faults.emplace_back("passengers: each needs a name");
    if (!names.insert(passenger.name).second) {
      faults.push_back("passengers: " + passenger.name + " is there twice");
    }
  }
}

void check_contact(const contract::Trip& trip, Faults& faults) {
  if (trip.email.empty() && trip.phone.empty()) {
    faults.emplace_back("email: it or a phone must be given");
  }
  if (!trip.email.empty() && !is_email(trip.email)) {
    faults.emplace_back("email: is not an address");
  }
  if (!trip.phone.empty() && !is_phone(trip.phone)) {
    faults.emplace_back("phone: is no number of E.164, such as +4915112345678");
  }
  if (!trip.language.empty() && !is_language(trip.language)) {
    faults.emplace_back("language: is no language tag, such as en or de-CH");
  }
}

void check_choice(std::string_view field,
                  std::string_view value,
                  std::initializer_list<std::string_view> choices,
                  Faults& faults) {
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return;
  std::string fault = "preferences." + std::string(field) + ": expected one of";
  for (const std::string_view choice : choices) fault += " " + std::string(choice);
  faults.push_back(std::move(fault));
}

}  // namespace

std::string date_after(WallTime now, int days) {
  const std::chrono::year_month_day date(day_of(now) + std::chrono::days(days));
  std::array<char, 16> text{};
  std::snprintf(text.data(),
                text.size(),
                "%04d-%02u-%02u",
                static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text.data();
}

Faults faults_of(const contract::BookingRequested& request, const Flights& flights, WallTime now) {
  const contract::Trip& trip = request.trip;
  Faults faults;
  if (!is_plain(trip.booking_id)) faults.emplace_back("booking-id: must be given");
  check_flight(trip, flights, faults);
  check_date(trip, now, faults);
  check_passengers(trip, faults);
  check_contact(trip, faults);
  check_choice("position", trip.preferences.position, {"window", "aisle", "middle"}, faults);
  check_choice("zone", trip.preferences.zone, {"front", "rear"}, faults);
  if (!is_card(request.card)) faults.emplace_back("card: is not a card number");
  return faults;
}

}  // namespace conga::booking
