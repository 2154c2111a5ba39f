// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/routed_targets.h"

#include <utility>

namespace conga::bus {
namespace {

/// Rules that overlap in many ways make many combinations; when there are more, all are forgotten.
constexpr std::size_t kMostKnown = 4096;

}  // namespace

RoutedTargets::Meaning& RoutedTargets::of(std::span<const std::uint32_t> positions) {
  if (Meaning* const known = known_of(positions)) return *known;
  if (known_.size() >= kMostKnown) forget();
  Meaning& meaning = known_.emplace(key_, work_out(positions)).first->second;
  const bool alone = positions.size() == 1 && positions[0] < engine_.table_size();
  if (!alone) return meaning;
  alone_.resize(engine_.table_size());
  alone_[positions[0]] = &meaning;
  return meaning;
}

/// Null: it is to be worked out.
RoutedTargets::Meaning* RoutedTargets::known_of(std::span<const std::uint32_t> positions) {
  const bool alone = positions.size() == 1 && positions[0] < alone_.size();
  if (alone && alone_[positions[0]] != nullptr) return alone_[positions[0]];
  key_.assign(positions.begin(), positions.end());
  const auto found = known_.find(key_);
  return found == known_.end() ? nullptr : &found->second;
}

void RoutedTargets::forget() {
  known_.clear();
  alone_.clear();
}

RoutedTargets::Meaning RoutedTargets::work_out(std::span<const std::uint32_t> positions) const {
  Meaning meaning;
  const std::size_t targets = engine_.table_size();
  for (const std::uint32_t position : positions) {
    if (position < targets) {
      // What is behind the targets comes last.
      meaning.known = meaning.known && meaning.marks.empty() && meaning.archives.empty();
      meaning.targets.push_back(engine_.target_at(position));
      meaning.owed.names.push_back(engine_.name_of(meaning.targets.back()));
      continue;
    }
    const std::size_t behind = position - targets;
    if (const auto mark = expectations_.mark_at(behind)) {
      meaning.marks.push_back(*mark);
    } else if (behind - expectations_.marks() < archives_.size()) {
      meaning.archives.push_back(static_cast<std::uint32_t>(behind - expectations_.marks()));
    } else {
      meaning.known = false;
    }
  }
  archives_.name(meaning.archives, meaning.owed.names);
  return meaning;
}

}  // namespace conga::bus
