// SPDX-License-Identifier: Apache-2.0

#include "cli/suggestions.h"

#include "bus/sidecar/journal_format.h"
#include "cli/archive.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>

namespace conga::cli {
namespace {

constexpr std::size_t kRemembered = 1'000'000;
constexpr int kLongestChain = 16;
constexpr std::uint64_t kLeast = 20;
constexpr double kShare = 0.99;

/// Twice as long, in whole seconds: what is slow today should not alarm tomorrow.
Duration generous(Duration slowest) {
  return std::chrono::ceil<std::chrono::seconds>(slowest * 2 + Duration(1));
}

std::string pattern_of(const std::pair<std::string, std::string>& type) {
  const auto quoted = [](const std::string& text) {
    std::string packed;
    Packer(packed).string(text);
    return conga::to_json(Value::trusted(packed));
  };
  return "{source: [" + quoted(type.first) + "], detail-type: [" + quoted(type.second) + "]}";
}

/// Letters of names only.
std::string name_of(const Suggestion& suggestion) {
  std::string name = suggestion.after.second + "-to-" + suggestion.expect.second;
  std::ranges::replace_if(
      name,
      [](char letter) {
        const bool is_word = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')
                             || (letter >= '0' && letter <= '9');
        return !is_word && letter != '-' && letter != '_' && letter != '.';
      },
      '-');
  return name;
}

}  // namespace

Suggestions::Type Suggestions::type_of(const EventView& event) {
  const std::pair<std::string, std::string> name{event.source, event.detail_type};
  const auto [found, added] = numbers_.try_emplace(name, static_cast<Type>(types_.size()));
  if (added) {
    types_.push_back(name);
    counts_.push_back(0);
  }
  return found->second;
}

void Suggestions::add(const JournalEntry& entry) {
  if (entry.type != bus::kEventRecord || !is_archived(entry)) return;
  if (entry.event.ingested < since_) return;
  const EventView& event = *entry.view;
  if (event.correlation_id.empty() || event.source.starts_with("conga.")) return;
  // A redriven event is in the journal again.
  if (seen_.contains(event.id)) return;
  Seen seen{.type = type_of(event),
            .cause = event.causation_id.value_or(Uuid{}),
            .ingested = entry.event.ingested,
            .correlation_id = std::string(event.correlation_id),
            .followed_by = {}};
  credit_causes(seen);
  ++counts_[seen.type];
  seen_.emplace(event.id, std::move(seen));
  order_.push_back(event.id);
  if (order_.size() > kRemembered) forget_oldest();
}

/// All that the event goes back to were followed by one of its type.
void Suggestions::credit_causes(const Seen& seen) {
  Uuid cause = seen.cause;
  for (int up = 0; up < kLongestChain; ++up) {
    const auto found = seen_.find(cause);
    if (found == seen_.end()) return;
    Seen& after = found->second;
    const bool known = std::ranges::find(after.followed_by, seen.type) != after.followed_by.end();
    if (!known && after.correlation_id == seen.correlation_id && after.type != seen.type) {
      after.followed_by.push_back(seen.type);
      Pair& pair = pairs_[{after.type, seen.type}];
      ++pair.followed;
      pair.slowest = std::max<Duration>(pair.slowest, seen.ingested - after.ingested);
    }
    cause = after.cause;
  }
}

void Suggestions::forget_oldest() {
  seen_.erase(order_.front());
  order_.pop_front();
}

std::vector<Suggestion> Suggestions::list() const {
  std::vector<Suggestion> list;
  for (const auto& [types, pair] : pairs_) {
    const std::uint64_t count = counts_[types.first];
    const bool sure = static_cast<double>(pair.followed) >= kShare * static_cast<double>(count);
    if (count < kLeast || !sure) continue;
    list.push_back({.after = types_[types.first],
                    .expect = types_[types.second],
                    .count = count,
                    .followed = pair.followed,
                    .slowest = pair.slowest,
                    .within = generous(pair.slowest)});
  }
  return list;
}

std::string to_yaml(const std::vector<Suggestion>& suggestions) {
  std::string text = "expectations:\n";
  for (const Suggestion& each : suggestions) {
    text += "  # " + std::to_string(each.followed) + " of " + std::to_string(each.count)
            + ", the slowest after " + human_duration(each.slowest) + "\n";
    text += "  - name: " + name_of(each) + "\n    after: " + pattern_of(each.after)
            + "\n    expect: " + pattern_of(each.expect)
            + "\n    within: " + format_duration(each.within) + "\n    by: /correlation-id\n";
  }
  return text;
}

std::string to_json(const std::vector<Suggestion>& suggestions) {
  std::string bytes;
  Packer packer(bytes);
  packer.array(suggestions.size());
  for (const Suggestion& each : suggestions) {
    packer.map(9).key("name").string(name_of(each));
    packer.key("after-source").string(each.after.first);
    packer.key("after-detail-type").string(each.after.second);
    packer.key("expect-source").string(each.expect.first);
    packer.key("expect-detail-type").string(each.expect.second);
    packer.key("count").unsigned_integer(each.count);
    packer.key("followed").unsigned_integer(each.followed);
    packer.key("slowest-us").integer(each.slowest.count());
    packer.key("within").string(format_duration(each.within));
  }
  return conga::to_json(Value::trusted(bytes));
}

}  // namespace conga::cli
