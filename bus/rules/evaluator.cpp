// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/evaluator.h"

#include "common/wire/event/json.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace conga::bus {
namespace {

/// Which element of each array, by the array's number in the event.
using Elements = std::map<std::size_t, std::size_t>;

/// A scalar and the array elements that it lies in.
struct Found {
  Value value;
  Elements elements;
};

/// All scalars of an event, by dotted path.
class Flattened {
public:
  explicit Flattened(const Value& event) { map(event, "", true); }

  const std::vector<Found>& at(const std::string& path) const {
    static const std::vector<Found> kNone;
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? kNone : found->second;
  }

private:
  void map(const Value& value, const std::string& path, bool top) {
    for (const auto& [key, member] : value.members()) {
      any(member, top ? std::string(key) : path + "." + std::string(key));
    }
  }

  void any(const Value& value, const std::string& path) {
    if (value.is_map()) return map(value, path, false);
    if (!value.is_array()) return by_path_[path].push_back({value, elements_});
    const std::size_t array = arrays_++;
    std::size_t index = 0;
    for (const Value element : value.elements()) {
      elements_[array] = index++;
      any(element, path);
    }
    elements_.erase(array);
  }

  std::map<std::string, std::vector<Found>> by_path_;
  Elements elements_;
  std::size_t arrays_ = 0;
};

bool agree(const Elements& chosen, const Elements& more) {
  return std::ranges::all_of(more, [&chosen](const auto& one) {
    const auto known = chosen.find(one.first);
    return known == chosen.end() || known->second == one.second;
  });
}

/// Each way to choose array elements that satisfied the fields so far.
using Ways = std::set<Elements>;

Ways step(const Ways& ways, const Pattern::Field& field, const std::vector<Found>& values) {
  Ways next;
  const bool absence =
      std::ranges::any_of(field.any_of, [](const Condition& one) { return one.wants_absence(); });
  for (const Elements& way : ways) {
    bool present = false;
    for (const Found& found : values) {
      if (!agree(way, found.elements)) continue;
      present = true;
      const bool satisfied = std::ranges::any_of(
          field.any_of, [&found](const Condition& one) { return one.satisfied_by(found.value); });
      if (!satisfied) continue;
      Elements longer = way;
      longer.insert(found.elements.begin(), found.elements.end());
      next.insert(std::move(longer));
    }
    if (absence && !present) next.insert(way);
  }
  return next;
}

/// The first field that fails, or null.
const Pattern::Field* failing(const Pattern& pattern,
                              const Pattern::Alternative& alternative,
                              const Flattened& event) {
  Ways ways{Elements{}};
  for (const std::uint32_t position : alternative) {
    const Pattern::Field& field = pattern.fields()[position];
    ways = step(ways, field, event.at(field.path));
    if (ways.empty()) return &field;
  }
  return nullptr;
}

}  // namespace

bool evaluate(const Pattern& pattern, const Value& event) {
  const Flattened flattened(event);
  return std::ranges::any_of(pattern.alternatives(), [&](const Pattern::Alternative& one) {
    return failing(pattern, one, flattened) == nullptr;
  });
}

std::string explain(const Pattern& pattern, const Value& event) {
  const Flattened flattened(event);
  std::string text;
  for (std::size_t index = 0; index < pattern.alternatives().size(); ++index) {
    const Pattern::Field* const field = failing(pattern, pattern.alternatives()[index], flattened);
    if (field == nullptr) return "the event matches";
    if (!text.empty()) text += '\n';
    if (pattern.alternatives().size() > 1)
      text += "$or alternative " + std::to_string(index + 1) + ": ";
    text += "no value of '" + field->path + "' satisfies ";
    for (const Condition& one : field->any_of) {
      if (&one != field->any_of.data()) text += " or ";
      text += one.text();
    }
    text += "; found ";
    const std::vector<Found>& values = flattened.at(field->path);
    if (values.empty()) text += "none";
    for (const Found& found : values) {
      if (&found != values.data()) text += ", ";
      text += to_json(found.value);
    }
    const bool apart = std::ranges::any_of(values, [field](const Found& found) {
      return std::ranges::any_of(
          field->any_of, [&found](const Condition& one) { return one.satisfied_by(found.value); });
    });
    if (apart) text += " (not in the array element that the fields before it chose)";
  }
  return text;
}

Nearness nearness(const Pattern& pattern, const Value& event) {
  const Flattened flattened(event);
  std::optional<Nearness> nearest;
  for (const Pattern::Alternative& alternative : pattern.alternatives()) {
    Nearness here;
    // Absence from an array element that the other fields choose is no absence from the event.
    if (failing(pattern, alternative, flattened) == nullptr) {
      return {.missed = 0, .satisfied = alternative.size()};
    }
    for (const std::uint32_t position : alternative) {
      const Pattern::Field& field = pattern.fields()[position];
      const bool missed = step({Elements{}}, field, flattened.at(field.path)).empty();
      ++(missed ? here.missed : here.satisfied);
    }
    if (!nearest || here < *nearest) nearest = here;
  }
  return nearest.value_or(Nearness());
}

}  // namespace conga::bus
