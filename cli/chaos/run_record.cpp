// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/run_record.h"

#include "common/wire/event/json.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace conga::cli {
namespace {

constexpr std::array<std::string_view, 9> kOwn{"id",
                                               "time",
                                               "hops",
                                               "source",
                                               "detail-type",
                                               "correlation-id",
                                               "causation-id",
                                               "traceparent",
                                               "replay-name"};

/// As a part of a JSON pointer: RFC 6901, section 3.
std::string escaped(std::string_view key) {
  std::string text;
  for (const char letter : key) {
    if (letter == '~') {
      text += "~0";
    } else if (letter == '/') {
      text += "~1";
    } else {
      text += letter;
    }
  }
  return text;
}

Facts facts_of(const Value& event) {
  Facts facts;
  for (const auto& [key, value] : event.members()) {
    if (std::ranges::find(kOwn, key) == kOwn.end()) flatten(value, "/" + escaped(key), facts);
  }
  return facts;
}

}  // namespace

void flatten(const Value& value, const std::string& prefix, Facts& into) {
  if (value.size() == 0) {
    into[prefix] = to_json(value);
    return;
  }
  for (const auto& [key, member] : value.members()) {
    flatten(member, prefix + "/" + escaped(key), into);
  }
  std::size_t index = 0;
  for (const Value element : value.elements()) {
    flatten(element, prefix + "/" + std::to_string(index++), into);
  }
}

void RunRecord::add(const JournalEntry& entry) {
  if (entry.type == bus::kEventRecord) return add_event(entry);
  if (entry.type == bus::kSettledRecord) return add_ending(entry.settled);
  if (entry.type == bus::kRetryRecord) return add_retry(entry.retry);
}

void RunRecord::add_event(const JournalEntry& entry) {
  const EventView& view = *entry.view;
  events_.push_back({.id = view.id,
                     .cause = view.causation_id,
                     .source = std::string(view.source),
                     .detail_type = std::string(view.detail_type),
                     .correlation_id = std::string(view.correlation_id),
                     .facts = facts_of(view.map),
                     .targets = entry.targets});
  RunEvent* const event = &events_.back();
  by_id_[event->id] = event;
  by_sequence_[entry.event.sequence] = event;
  for (const bus::TargetName& target : entry.targets) {
    open_.insert({entry.event.sequence, target});
  }
}

void RunRecord::add_retry(const bus::RetryRecord& record) {
  const auto event = by_sequence_.find(record.sequence);
  if (event == by_sequence_.end()) return;
  event->second->redeliveries.push_back({.target = record.target.target, .code = record.code});
}

void RunRecord::add_ending(const bus::SettledRecord& record) {
  open_.erase({record.sequence, record.target});
  const auto event = by_sequence_.find(record.sequence);
  if (record.ending != bus::Ending::DeadLetter || event == by_sequence_.end()) return;
  dead_letters_.push_back(
      {.event = event->second, .target = record.target.target, .code = record.code});
}

const RunEvent* RunRecord::find(const Uuid& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

}  // namespace conga::cli
