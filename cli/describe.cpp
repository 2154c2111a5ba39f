// SPDX-License-Identifier: Apache-2.0

#include "cli/describe.h"

#include "cli/text.h"
#include "common/wire/event/json.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

namespace conga::cli {
namespace {

bool is_table(const Value& value) {
  if (!value.is_array() || value.size() == 0) return false;
  const auto elements = value.elements();
  return std::all_of(
      elements.begin(), elements.end(), [](const Value& element) { return element.is_map(); });
}

/// Text as it is; a list of texts with commas; all else as JSON.
std::string shown(const Value& value) {
  if (const auto text = value.string()) return printable(*text);
  if (value.is_null()) return "-";
  if (!value.is_array()) return printable(to_json(value));
  std::string list;
  for (const Value& element : value.elements()) {
    list += (list.empty() ? "" : ", ") + shown(element);
  }
  return list.empty() ? "none" : list;
}

std::string heading_of(std::string_view name) {
  std::string heading = printable(name);
  std::transform(heading.begin(), heading.end(), heading.begin(), [](char letter) {
    return letter == '-' ? ' '
                         : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  });
  return heading;
}

std::vector<std::string_view> columns_in(const Value& list) {
  std::vector<std::string_view> columns;
  for (const Value& row : list.elements()) {
    for (const auto& member : row.members()) {
      const bool known = std::find(columns.begin(), columns.end(), member.first) != columns.end();
      if (!known) columns.push_back(member.first);
    }
  }
  return columns;
}

/// `accepted 12, refused 0`: as many lines as it takes, all but the first indented.
std::string shown_map(const Value& map, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  for (const auto& member : map.members()) {
    const std::string item = printable(member.first) + " " + shown(member.second);
    if (!out.empty()) {
      const bool fits = column + 2 + columns_of(item) <= width;
      out += fits ? ", " : ",\n" + std::string(indent, ' ');
      column = fits ? column + 2 : indent;
    }
    out += item;
    column += columns_of(item);
  }
  return out.empty() ? "none" : out;
}

}  // namespace

std::string describe_list(const Value& list, const Look& look) {
  const auto columns = columns_in(list);
  std::vector<std::string> heading;
  heading.reserve(columns.size());
  for (const std::string_view column : columns) heading.push_back(heading_of(column));
  Table table(std::move(heading));
  for (const Value& row : list.elements()) {
    std::vector<Cell> cells;
    for (const std::string_view column : columns) {
      const auto value = row.find(column);
      cells.push_back({.text = value ? shown(*value) : std::string(),
                       .colour = Colour::Plain,
                       .right = value && value->is_number()});
    }
    table.add(std::move(cells));
  }
  return table.text(look);
}

std::string describe(const Value& map, const Look& look) {
  std::size_t width = 0;
  for (const auto& member : map.members()) {
    if (!is_table(member.second)) width = std::max(width, columns_of(printable(member.first)));
  }
  std::string out;
  for (const auto& member : map.members()) {
    if (is_table(member.second)) continue;
    const std::string name = printable(member.first);
    const std::string value = member.second.is_map()
                                  ? shown_map(member.second, width + 4, look.width)
                                  : shown(member.second);
    out += "  " + paint(look, Colour::Dim, name) + std::string(width - columns_of(name) + 2, ' ')
           + value + "\n";
  }
  for (const auto& member : map.members()) {
    if (!is_table(member.second)) continue;
    out += "\n" + paint(look, Colour::Bold, heading_of(member.first)) + "\n"
           + describe_list(member.second, look);
  }
  return out;
}

}  // namespace conga::cli
