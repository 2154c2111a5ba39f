// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/open_deliveries.h"

#include <algorithm>
#include <bit>

namespace conga::bus {
namespace {

constexpr std::size_t kEntryTargets = 32;

}  // namespace

OpenDeliveries::SetId OpenDeliveries::intern(std::string_view encoded,
                                             const std::vector<TargetName>& names) {
  const auto [found, is_new] =
      set_ids_.try_emplace(std::string(encoded), static_cast<SetId>(sets_.size()));
  if (!is_new) return found->second;
  TargetSet set;
  set.encoded = encoded;
  set.names = names;
  for (const TargetName& name : names) {
    const auto id = name_ids_.try_emplace(name, static_cast<NameId>(name_ids_.size())).first;
    set.ids.push_back(id->second);
  }
  sets_.push_back(std::move(set));
  return found->second;
}

std::optional<OpenDeliveries::SetId> OpenDeliveries::find_set(std::string_view encoded) const {
  const auto found = set_ids_.find(std::string(encoded));
  if (found == set_ids_.end()) return std::nullopt;
  return found->second;
}

void OpenDeliveries::add(Sequence sequence, LogPosition position, SetId set) {
  next_ = sequence;
  Segment& segment = segment_at(position.segment);
  next_ = sequence + 1;
  const std::size_t targets = sets_[set].names.size();
  segment.entries.resize(sequence - segment.first);  // Numbers that were lost have nothing open.
  ++segment.count;
  segment.open += targets;
  if (targets > kEntryTargets) {
    segment.entries.push_back({});
    loose_[sequence] = {position, set, position.segment, std::vector<bool>(targets, true)};
    return;
  }
  const auto all = static_cast<std::uint32_t>((std::uint64_t{1} << targets) - 1);
  segment.entries.push_back({set, all});
}

void OpenDeliveries::carry(Sequence sequence,
                           LogPosition position,
                           SetId set,
                           std::uint32_t history) {
  if (const Segment* origin = segment_of(sequence)) history = origin->number;
  if (const auto known = loose_.find(sequence); known != loose_.end()) {
    history = known->second.history;
  }
  forget(sequence);
  const std::size_t targets = sets_[set].names.size();
  segment_at(position.segment).open += targets;
  if (targets > 0) {
    loose_[sequence] = {position, set, history, std::vector<bool>(targets, true)};
  }
}

/// Nothing of the event is open any more.
void OpenDeliveries::forget(Sequence sequence) {
  if (const auto known = loose_.find(sequence); known != loose_.end()) {
    const auto open = std::ranges::count(known->second.open, true);
    if (Segment* segment = find_segment(known->second.position.segment)) {
      close(*segment, static_cast<std::uint64_t>(open));
    }
    loose_.erase(known);
    return;
  }
  if (Entry* entry = find_entry(sequence)) {
    const auto open = static_cast<std::uint64_t>(std::popcount(entry->open));
    entry->open = 0;
    close(*find_segment(segment_of(sequence)->number), open);
  }
}

bool OpenDeliveries::settle(Sequence sequence, const TargetName& target) {
  if (const auto known = loose_.find(sequence); known != loose_.end()) {
    Loose& event = known->second;
    const auto index = index_in(event.set, target);
    if (!index || !event.open[*index]) return false;
    event.open[*index] = false;
    if (Segment* segment = find_segment(event.position.segment)) close(*segment, 1);
    if (std::ranges::count(event.open, true) == 0) loose_.erase(known);
    return true;
  }
  Entry* const entry = find_entry(sequence);
  if (entry == nullptr || entry->open == 0) return false;
  const auto index = index_in(entry->set, target);
  if (!index || (entry->open & (1U << *index)) == 0) return false;
  entry->open &= ~(1U << *index);
  close(*find_segment(segment_of(sequence)->number), 1);
  return true;
}

std::optional<OpenDeliveries::NameId> OpenDeliveries::open_id(Sequence sequence,
                                                              const TargetName& target) const {
  if (const auto known = loose_.find(sequence); known != loose_.end()) {
    const auto index = index_in(known->second.set, target);
    if (!index || !known->second.open[*index]) return std::nullopt;
    return sets_[known->second.set].ids[*index];
  }
  const Entry* const entry = find_entry(sequence);
  if (entry == nullptr || entry->open == 0) return std::nullopt;
  const auto index = index_in(entry->set, target);
  if (!index || (entry->open & (1U << *index)) == 0) return std::nullopt;
  return sets_[entry->set].ids[*index];
}

std::vector<OpenDeliveries::OpenTarget> OpenDeliveries::open_targets(Sequence sequence) const {
  std::vector<OpenTarget> open;
  if (const auto known = loose_.find(sequence); known != loose_.end()) {
    const TargetSet& set = sets_[known->second.set];
    for (std::size_t index = 0; index < set.names.size(); ++index) {
      if (known->second.open[index]) open.push_back({set.names[index], set.ids[index]});
    }
    return open;
  }
  const Entry* const entry = find_entry(sequence);
  if (entry == nullptr || entry->open == 0) return open;
  const TargetSet& set = sets_[entry->set];
  for (std::size_t index = 0; index < set.names.size(); ++index) {
    if ((entry->open & (1U << index)) != 0) open.push_back({set.names[index], set.ids[index]});
  }
  return open;
}

std::optional<LogPosition> OpenDeliveries::moved_to(Sequence sequence) const {
  if (loose_.empty()) return std::nullopt;
  const auto known = loose_.find(sequence);
  if (known == loose_.end()) return std::nullopt;
  return known->second.position;
}

std::uint64_t OpenDeliveries::open_in(std::uint32_t segment) const {
  const Segment* const found = find_segment(segment);
  return found == nullptr ? 0 : found->open;
}

std::uint64_t OpenDeliveries::events_in(std::uint32_t segment) const {
  const Segment* const found = find_segment(segment);
  return found == nullptr ? 0 : found->count;
}

std::vector<std::pair<Sequence, LogPosition>> OpenDeliveries::loose() const {
  std::vector<std::pair<Sequence, LogPosition>> found;
  found.reserve(loose_.size());
  for (const auto& entry : loose_) found.emplace_back(entry.first, entry.second.position);
  return found;
}

std::uint32_t OpenDeliveries::low_water(std::uint32_t newest) {
  // A segment that has nothing open never has again, unless it is the one being written.
  while (segments_.size() > 1 && segments_.front().open == 0) segments_.pop_front();
  return lowest_open(newest);
}

std::uint32_t OpenDeliveries::lowest_open(std::uint32_t newest) const {
  std::uint32_t lowest = newest;
  const auto open =
      std::ranges::find_if(segments_, [](const Segment& segment) { return segment.open > 0; });
  if (open != segments_.end()) lowest = open->number;
  // The lowest sequence was appended first, so its history reaches furthest back.
  if (!loose_.empty()) lowest = std::min(lowest, loose_.begin()->second.history);
  return lowest;
}

void OpenDeliveries::drop_below(std::uint32_t segment) {
  while (!segments_.empty() && segments_.front().number < segment) segments_.pop_front();
}

OpenDeliveries::Segment& OpenDeliveries::segment_at(std::uint32_t number) {
  if (segments_.empty() || segments_.back().number < number) {
    if (!segments_.empty() && segments_.back().open == 0) segments_.back().entries = {};
    Segment segment;
    segment.number = number;
    segment.first = next_;
    segments_.push_back(std::move(segment));
  }
  Segment& segment = segments_.back();
  if (segment.count == 0) segment.first = next_;
  return segment;
}

OpenDeliveries::Segment* OpenDeliveries::find_segment(std::uint32_t number) {
  const auto found = std::ranges::lower_bound(segments_, number, {}, &Segment::number);
  return found == segments_.end() || found->number != number ? nullptr : &*found;
}

const OpenDeliveries::Segment* OpenDeliveries::find_segment(std::uint32_t number) const {
  const auto found = std::ranges::lower_bound(segments_, number, {}, &Segment::number);
  return found == segments_.end() || found->number != number ? nullptr : &*found;
}

const OpenDeliveries::Segment* OpenDeliveries::segment_of(Sequence sequence) const {
  const auto behind = std::ranges::upper_bound(segments_, sequence, {}, &Segment::first);
  if (behind == segments_.begin()) return nullptr;
  const Segment& segment = *(behind - 1);
  return sequence - segment.first < segment.entries.size() ? &segment : nullptr;
}

const OpenDeliveries::Entry* OpenDeliveries::find_entry(Sequence sequence) const {
  const Segment* const segment = segment_of(sequence);
  return segment == nullptr ? nullptr : &segment->entries[sequence - segment->first];
}

OpenDeliveries::Entry* OpenDeliveries::find_entry(Sequence sequence) {
  const Segment* const segment = segment_of(sequence);
  if (segment == nullptr) return nullptr;
  return &find_segment(segment->number)->entries[sequence - segment->first];
}

void OpenDeliveries::close(Segment& segment, std::uint64_t deliveries) {
  segment.open -= deliveries;
  if (segment.open == 0 && &segment != &segments_.back()) segment.entries = {};
}

std::optional<std::size_t> OpenDeliveries::index_in(SetId set, const TargetName& target) const {
  const std::vector<TargetName>& names = sets_[set].names;
  const auto found = std::ranges::find(names, target);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace conga::bus
