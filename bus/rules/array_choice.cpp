// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/array_choice.h"

#include <algorithm>

namespace conga::bus {
namespace {

using Found = EventFields::Found;

/// The first value at or behind `from` whose number is at least `number`.
std::size_t seek(const std::vector<Found>& values, std::size_t from, std::uint32_t number) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from);
  const auto at = std::ranges::lower_bound(begin, values.end(), number, {}, &Found::number);
  return static_cast<std::size_t>(at - values.begin());
}

}  // namespace

void ArrayChoice::begin(const EventFields& event) {
  event_ = &event;
  steps_.clear();
  satisfied_.clear();
}

void ArrayChoice::add(const EventFields::Field& field, const std::vector<Condition>& any_of) {
  Step& step = steps_.emplace_back();
  step.field = &field;
  step.satisfied = satisfied_.size();
  step.absence =
      std::ranges::any_of(any_of, [](const Condition& one) { return one.wants_absence(); });
  for (const Found& found : field.values) {
    const bool satisfied = std::ranges::any_of(
        any_of, [&found](const Condition& one) { return one.satisfied_by(found.value); });
    satisfied_.push_back(satisfied ? 1 : 0);
    if (satisfied) ++step.hits;
  }
}

bool ArrayChoice::possible() {
  // Only an absence depends on what was chosen before it. Else the order is free, and the field
  // with the fewest satisfied values leaves the fewest ways.
  if (std::ranges::none_of(steps_, &Step::absence)) std::ranges::sort(steps_, {}, &Step::hits);
  count_ = 0;
  pool_.clear();
  ways_.assign(1, Way{});
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    if (!take(step)) return false;
  }
  return true;
}

/// Replaces the ways by those that satisfy this step too; false if there are none.
bool ArrayChoice::take(std::size_t step) {
  next_ways_.clear();
  next_pool_.clear();
  const bool last = step + 1 == steps_.size();
  for (const Way& way : ways_) {
    if (!extend(way, step)) return false;
    if (last && !next_ways_.empty()) return true;
  }
  std::swap(ways_, next_ways_);
  std::swap(pool_, next_pool_);
  remove_repeats();
  return !ways_.empty();
}

/// False if there was too much to do.
bool ArrayChoice::extend(const Way& way, std::size_t step) {
  const Step& one = steps_[step];
  const std::vector<Found>& values = one.field->values;
  const bool last = step + 1 == steps_.size();
  bool present = false;
  for (std::size_t at = next_agreeing(way, *one.field, 0); at < values.size();
       at = next_agreeing(way, *one.field, at + 1)) {
    if (++count_ > kMaxSteps) return false;
    present = true;
    if (satisfied_[one.satisfied + at] == 0) continue;
    push(way, values[at].element, step);
    if (last) return true;
  }
  if (one.absence && !present) push(way, EventFields::kNone, step);
  return true;
}

/// The first value from position `from` on that lies in no other element than the fixed ones.
std::size_t ArrayChoice::next_agreeing(const Way& way,
                                       const EventFields::Field& field,
                                       std::size_t from) const {
  const std::vector<Found>& values = field.values;
  for (std::uint32_t index = 0; index < way.size && from < values.size();) {
    const EventFields::Element& fixed = event_->element(pool_[way.begin + index]);
    const EventFields::Range& array = event_->array(fixed.array);
    const std::uint32_t number = values[from].number;
    if (!array.holds(number) || fixed.range.holds(number)) {
      ++index;
      continue;
    }
    from = seek(values, from, number < fixed.range.begin ? fixed.range.begin : array.end);
    index = 0;
  }
  return from;
}

/// Adds `way` with `element` and those around it fixed too, without what no later step notices.
void ArrayChoice::push(const Way& way, std::uint32_t element, std::size_t step) {
  const auto begin = static_cast<std::uint32_t>(next_pool_.size());
  for (std::uint32_t index = 0; index < way.size; ++index) {
    const std::uint32_t fixed = pool_[way.begin + index];
    if (matters(fixed, step)) next_pool_.push_back(fixed);
  }
  for (; element != EventFields::kNone; element = event_->element(element).parent) {
    if (matters(element, step)) next_pool_.push_back(element);
  }
  const auto first = next_pool_.begin() + begin;
  std::sort(first, next_pool_.end());
  next_pool_.erase(std::unique(first, next_pool_.end()), next_pool_.end());
  next_ways_.push_back({begin, static_cast<std::uint32_t>(next_pool_.size()) - begin});
}

bool ArrayChoice::matters(std::uint32_t element, std::size_t step) const {
  const EventFields::Range& array = event_->array(event_->element(element).array);
  for (std::size_t later = step + 1; later < steps_.size(); ++later) {
    const std::vector<Found>& values = steps_[later].field->values;
    const std::size_t at = seek(values, 0, array.begin);
    if (at < values.size() && values[at].number < array.end) return true;
  }
  return false;
}

void ArrayChoice::remove_repeats() {
  const auto elements = [this](const Way& way) {
    return std::span(pool_).subspan(way.begin, way.size);
  };
  std::ranges::sort(ways_, [&elements](const Way& one, const Way& other) {
    return std::ranges::lexicographical_compare(elements(one), elements(other));
  });
  const auto same = [&elements](const Way& one, const Way& other) {
    return std::ranges::equal(elements(one), elements(other));
  };
  // Not std::ranges::unique(), whose result clang 14 cannot compile.
  ways_.erase(std::unique(ways_.begin(), ways_.end(), same), ways_.end());
}

}  // namespace conga::bus
