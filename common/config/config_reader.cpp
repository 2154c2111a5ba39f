// SPDX-License-Identifier: Apache-2.0

#include "common/config/config_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>
#include <system_error>

namespace conga {
namespace {

const Document& empty_map() {
  static const Document kEmpty = [] {
    Document map;
    map.kind = Document::Kind::Map;
    return map;
  }();
  return kEmpty;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

constexpr std::size_t kLongestName = 64;  ///< Longer words are no slip of a key.

/// Levenshtein's: how many letters to add, drop or replace.
std::size_t edit_distance(std::string_view one, std::string_view other) {
  if (one.size() > kLongestName || other.size() > kLongestName) return kLongestName;
  std::array<std::size_t, kLongestName + 1> row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t at = 0; at < one.size(); ++at) {
    std::size_t diagonal = row[0];
    row[0] = at + 1;
    for (std::size_t to = 0; to < other.size(); ++to) {
      const std::size_t replaced = diagonal + (one[at] == other[to] ? 0 : 1);
      diagonal = row[to + 1];
      row[to + 1] = std::min({row[to] + 1, row[to + 1] + 1, replaced});
    }
  }
  return row[other.size()];
}

bool is_endpoint(std::string_view text) {
  if (text.starts_with("ipc://") || text.starts_with("inproc://")) {
    return text.size() > text.find("//") + 2;
  }
  if (!text.starts_with("tcp://")) return false;
  const std::size_t colon = text.rfind(':');
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return colon > 6 && error == std::errc() && end == port.data() + port.size() && number > 0;
}

struct ByteUnit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::array<ByteUnit, 5> kByteUnits{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"B", 1}, {"", 1}}};

std::string format_bytes(std::uint64_t bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    if (bytes > 0 && bytes % unit.size == 0 && unit.size > 1) {
      return std::to_string(bytes / unit.size).append(unit.name);
    }
  }
  return std::to_string(bytes);
}

}  // namespace

void ConfigFaults::add(std::size_t line, std::size_t column, const std::string& what) {
  lines_.push_back({.line = line, .column = column, .what = what});
}

Error ConfigFaults::error() const {
  std::vector<Line> sorted = lines_;
  std::ranges::stable_sort(sorted, [](const Line& one, const Line& other) {
    return std::pair(one.line, one.column) < std::pair(other.line, other.column);
  });
  std::string what;
  for (const Line& line : sorted) {
    if (!what.empty()) what += '\n';
    if (line.line == 0) {
      what += "--set " + line.what;
    } else {
      what += file_ + ":" + std::to_string(line.line) + ":" + std::to_string(line.column) + ": "
              + line.what;
    }
  }
  return {.fault = Fault::Permanent, .what = what, .code = "InvalidConfig"};
}

ConfigReader::ConfigReader(const Document& map, std::string path, ConfigFaults& faults)
    : map_(map.kind == Document::Kind::Map ? map : empty_map()),
      path_(std::move(path)),
      faults_(faults) {
  if (map.kind != Document::Kind::Map && map.kind != Document::Kind::Null) {
    faults_.add(map, "expected a map, got " + map.describe());
  }
}

const Document* ConfigReader::take(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return map_.find(key);
}

void ConfigReader::expected(const Document& value, std::string_view key, const std::string& what) {
  faults_.add(value, path_ + std::string(key) + ": expected " + what + ", got " + value.describe());
}

ConfigReader ConfigReader::section(std::string_view key) {
  const Document* const value = take(key);
  return {value == nullptr ? empty_map() : *value, path_ + std::string(key) + ".", faults_};
}

const std::vector<Document>& ConfigReader::list(std::string_view key) {
  const Document* const value = take(key);
  if (value != nullptr && value->kind != Document::Kind::Array) expected(*value, key, "a list");
  return value == nullptr ? empty_map().elements : value->elements;
}

const Document* ConfigReader::any(std::string_view key) {
  return take(key);
}

bool ConfigReader::read_integer(std::string_view key,
                                std::uint64_t& into,
                                std::uint64_t low,
                                std::uint64_t high) {
  const Document* const value = take(key);
  if (value == nullptr) return false;
  const bool whole = value->kind == Document::Kind::Integer && value->integer >= 0;
  const auto found = static_cast<std::uint64_t>(whole ? value->integer : 0);
  if (!whole || found < low || found > high) {
    expected(*value, key, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return false;
  }
  into = found;
  return true;
}

void ConfigReader::number(std::string_view key, double& into, double low, double high) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  const bool integer = value->kind == Document::Kind::Integer;
  const double found = integer ? static_cast<double>(value->integer) : value->number;
  if ((!integer && value->kind != Document::Kind::Double) || !(found >= low && found <= high)) {
    std::ostringstream range;
    range << "a number from " << low << " to " << high;
    expected(*value, key, range.str());
    return;
  }
  into = found;
}

void ConfigReader::boolean(std::string_view key, bool& into) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::Boolean) {
    expected(*value, key, "true or false");
    return;
  }
  into = value->boolean;
}

void ConfigReader::text(std::string_view key, std::string& into) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::String || value->text.empty()) {
    expected(*value, key, "text");
    return;
  }
  into = value->text;
}

void ConfigReader::texts(std::string_view key, std::vector<std::string>& into) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  std::vector<std::string> texts;
  for (const Document& element : value->elements) {
    if (element.kind == Document::Kind::String) texts.push_back(element.text);
  }
  if (value->kind != Document::Kind::Array || texts.size() != value->elements.size()) {
    expected(*value, key, "a list of text");
    return;
  }
  into = std::move(texts);
}

void ConfigReader::duration(std::string_view key, Duration& into, Duration low, Duration high) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  const auto found = parse_duration(value->text);
  if (!found || *found < low || *found > high) {
    expected(*value,
             key,
             "a duration from " + format_duration(low) + " to " + format_duration(high)
                 + " such as 200ms, 30s, 5m, 24h");
    return;
  }
  into = *found;
}

bool ConfigReader::read_bytes(std::string_view key,
                              std::uint64_t& into,
                              std::uint64_t low,
                              std::uint64_t high) {
  const Document* const value = take(key);
  if (value == nullptr) return false;
  const auto found = parse_bytes(value->text);
  if (!found || *found < low || *found > high) {
    expected(*value,
             key,
             "a size from " + format_bytes(low) + " to " + format_bytes(high)
                 + " such as 512KiB, 64MiB, 1GiB");
    return false;
  }
  into = *found;
  return true;
}

void ConfigReader::endpoint(std::string_view key, std::string& into) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::String || !is_endpoint(value->text)) {
    expected(*value, key, "an endpoint such as tcp://127.0.0.1:7461 or ipc:///run/conga/link");
    return;
  }
  into = value->text;
}

void ConfigReader::path(std::string_view key, std::string& into) {
  const Document* const value = take(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::String || value->text.empty()) {
    expected(*value, key, "a path");
    return;
  }
  const std::filesystem::path path(value->text);
  const std::filesystem::path folder = std::filesystem::path(faults_.file()).parent_path();
  const bool keep = value->line == 0 || path.is_absolute();
  into = keep ? path.string() : (folder / path).lexically_normal().string();
}

std::size_t ConfigReader::read_choice(std::string_view key,
                                      const std::vector<std::string_view>& names) {
  const Document* const value = take(key);
  if (value == nullptr) return names.size();
  const auto found = std::ranges::find(names, std::string_view(value->text));
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string allowed;
  for (const std::string_view name : names) {
    allowed.append(allowed.empty() ? "one of " : ", ").append(name);
  }
  expected(*value, key, allowed);
  return names.size();
}

void ConfigReader::require(std::string_view key) {
  if (map_.find(key) == nullptr) {
    faults_.add(map_, path_ + std::string(key) + ": is missing");
  }
}

void ConfigReader::fault(std::string_view key, const std::string& what) {
  const Document* const value = map_.find(key);
  faults_.add(value == nullptr ? map_ : *value, path_ + std::string(key) + ": " + what);
}

void ConfigReader::finish() {
  if (std::exchange(finished_, true)) return;
  std::vector<std::string> seen;
  for (const Document::Member& member : map_.members) {
    if (std::ranges::find(seen, member.key) != seen.end()) {
      faults_.add(member.line, member.column, path_ + member.key + ": is there twice");
    }
    seen.push_back(member.key);
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    const std::string_view near = nearest(member.key, known_);
    faults_.add(
        member.line,
        member.column,
        path_ + member.key + ": unknown key"
            + (near.empty() ? std::string(".") : ", did you mean " + std::string(near) + "?")
            + " Allowed: " + join(known_));
  }
}

namespace {

/// The member of `map` called `key`, added if need be.
Document& member(Document& map, std::string_view key) {
  auto found = std::ranges::find(map.members, key, &Document::Member::key);
  if (found == map.members.end()) {
    Document::Member added;
    added.key = key;
    added.line = 0;
    added.value.line = 0;
    found = map.members.insert(found, std::move(added));
  }
  return found->value;
}

/// Marks all of it as given on the command line.
void unplace(Document& document) {
  document.line = 0;
  for (Document& element : document.elements) unplace(element);
  for (Document::Member& each : document.members) {
    each.line = 0;
    unplace(each.value);
  }
}

}  // namespace

Result<> override_value(Document& root, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(Fault::Permanent,
                "--set " + std::string(assignment)
                    + ": expected KEY=VALUE such as journal.segment-size=16MiB",
                "InvalidConfig");
  }
  auto value = parse_yaml(assignment.substr(equals + 1), "--set " + std::string(assignment));
  if (!value) return fail(Fault::Permanent, value.error().what, "InvalidConfig");
  Document* node = &root;
  std::string_view keys = assignment.substr(0, equals);
  while (true) {
    if (node->kind != Document::Kind::Map) {
      *node = Document();
      node->kind = Document::Kind::Map;
      node->line = 0;
    }
    const std::size_t dot = keys.find('.');
    node = &member(*node, keys.substr(0, dot));
    if (dot == std::string_view::npos) break;
    keys.remove_prefix(dot + 1);
  }
  *node = std::move(*value);
  unplace(*node);
  return {};
}

Result<Document> load_config(const std::string& path, const std::vector<std::string>& overrides) {
  Document root;
  if (!path.empty()) {
    const auto text = read_text_file(path);
    if (!text) return text.failure();
    auto parsed = parse_yaml(*text, path);
    if (!parsed) return parsed.failure();
    root = std::move(*parsed);
  }
  for (const std::string& assignment : overrides) {
    if (auto set = override_value(root, assignment); !set) return set.failure();
  }
  return root;
}

std::string_view nearest(std::string_view word, const std::vector<std::string>& names) {
  std::string_view best;
  std::size_t best_distance = 3;  // more slips than that are another word
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* const unit = std::ranges::find(kByteUnits, name, &ByteUnit::name);
  if (error != std::errc() || unit == kByteUnits.end()
      || count > std::numeric_limits<std::uint64_t>::max() / unit->size) {
    return fail(Fault::Permanent,
                "'" + std::string(text) + "' is not a size such as 512KiB, 64MiB or 1GiB");
  }
  return count * unit->size;
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    return fail(Fault::Permanent, path + ": cannot be read: " + std::strerror(errno), "Unreadable");
  }
  return text.str();
}

}  // namespace conga
