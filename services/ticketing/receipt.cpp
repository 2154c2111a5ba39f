// SPDX-License-Identifier: Apache-2.0

#include "services/ticketing/receipt.h"

#include "services/contract/money_text.h"
#include "services/kit/html.h"

#include <algorithm>
#include <utility>

namespace conga::ticketing {
namespace {

using kit::html_escaped;

/// A heading and rows below it; both forms are made from the same tables.
struct Table {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> rows;
};

struct Content {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  ///< Name and value.
  Table passengers;
  Table flights;
  std::string note;
};

/// `220-0000000015`: as airlines print a ticket's number.
std::string printed(const std::string& number) {
  constexpr std::size_t kAirlineDigits = 3;
  return number.substr(0, kAirlineDigits) + "-" + number.substr(kAirlineDigits);
}

Content content_of(const Airline& airline,
                   const contract::Trip& trip,
                   const std::vector<contract::Ticket>& tickets,
                   WallTime issued) {
  const std::string count = std::to_string(trip.passengers.size());
  const std::string day = format_rfc3339(issued).substr(0, std::string_view("2026-12-01").size());
  Content content{
      .title = "Itinerary receipt",
      .facts = {{"Booking", trip.locator},
                {"Issued by", airline.name},
                {"Issued on", day},
                {"Paid",
                 contract::money_text(trip.fare) + " for " + count
                     + (trip.passengers.size() == 1 ? " passenger" : " passengers")}},
      .passengers = {.heading = {"Passenger", "Ticket", "Seat"}, .rows = {}},
      .flights = {.heading = {"Flight", "From", "To", "Date", "Departs", "Arrives", "Class"},
                  .rows = {{trip.flight,
                            trip.route.from,
                            trip.route.to,
                            trip.date,
                            trip.route.departs,
                            trip.route.arrives,
                            trip.cabin}}},
      .note = "Times are local. The tickets are electronic: bring an identity document."};
  for (const contract::Ticket& ticket : tickets) {
    content.passengers.rows.push_back({ticket.passenger, printed(ticket.number), ticket.seat});
  }
  return content;
}

// --- as text

/// In UTF-8, characters are counted, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t own = width_of(text);
  return text + std::string(own < width ? width - own : 0, ' ');
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t at = 0; at < cells.size(); ++at) line += padded(cells[at], widths[at] + 2);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string text_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < table.heading.size(); ++column) {
    std::size_t widest = width_of(table.heading[column]);
    for (const auto& row : table.rows) widest = std::max(widest, width_of(row[column]));
    widths.push_back(widest);
  }
  std::string text = line_of(table.heading, widths);
  for (const auto& row : table.rows) text += line_of(row, widths);
  return text;
}

std::string text_of(const Content& content) {
  std::string text = content.title + "\n\n";
  constexpr std::size_t kNames = 11;
  for (const auto& [name, value] : content.facts) text += padded(name, kNames) + value + "\n";
  text += "\n" + text_of(content.flights) + "\n" + text_of(content.passengers);
  return text + "\n" + content.note + "\n";
}

// --- as HTML

std::string html_row(const std::vector<std::string>& cells, std::string_view element) {
  std::string row = "<tr>";
  for (const std::string& cell : cells) {
    row.append("<").append(element).append(">");
    row += html_escaped(cell);
    row.append("</").append(element).append(">");
  }
  return row + "</tr>\n";
}

std::string html_of(const Table& table) {
  std::string html = "<table>\n" + html_row(table.heading, "th");
  for (const auto& row : table.rows) html += html_row(row, "td");
  return html + "</table>\n";
}

std::string html_of(const Content& content) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
                     + html_escaped(content.title) + "</title></head><body>\n<h1>"
                     + html_escaped(content.title) + "</h1>\n<dl>\n";
  for (const auto& [name, value] : content.facts) {
    html += "<dt>" + html_escaped(name) + "</dt><dd>" + html_escaped(value) + "</dd>\n";
  }
  html += "</dl>\n" + html_of(content.flights) + html_of(content.passengers);
  return html + "<p>" + html_escaped(content.note) + "</p>\n</body></html>\n";
}

}  // namespace

contract::Receipt make_receipt(const Airline& airline,
                               const contract::Trip& trip,
                               const std::vector<contract::Ticket>& tickets,
                               WallTime issued) {
  const Content content = content_of(airline, trip, tickets, issued);
  return {.text = text_of(content), .html = html_of(content)};
}

}  // namespace conga::ticketing
