// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/causality.h"

#include <algorithm>
#include <deque>
#include <optional>

namespace conga::bus {
namespace {

/// Whether the service may emit it after it was given an event of that type.
bool follows(const Causality::Happening& effect, const std::string& cause) {
  const auto holds = [&cause](const std::vector<std::string>& types) {
    return std::ranges::find(types, cause) != types.end();
  };
  const Emission emission = effect.emission();
  return emission.after ? holds(*emission.after) : holds(effect.service->consumes);
}

}  // namespace

Emission Causality::Happening::emission() const {
  return at < service->emissions.size() ? service->emissions[at] : Emission{};
}

Causality::Causality(const std::vector<Declaration>& declarations,
                     const std::vector<Arrow>& arrows) {
  for (const Declaration& service : declarations) {
    for (std::size_t at = 0; at < service.emits.size(); ++at) {
      happenings_.push_back({.service = &service, .at = at});
    }
  }
  for (const Happening& cause : happenings_) {
    std::vector<Step>& steps = steps_.emplace_back();
    for (const Arrow& arrow : arrows) {
      if (arrow.from != cause.service->service || arrow.detail_type != cause.type()) continue;
      for (std::size_t to = 0; to < happenings_.size(); ++to) {
        const Happening& effect = happenings_[to];
        if (effect.service->service != arrow.to || !follows(effect, arrow.detail_type)) continue;
        steps.push_back({.to = to, .rule = arrow.rule});
      }
    }
  }
}

std::vector<std::size_t> Causality::path(std::size_t from, std::size_t to, bool past_once) const {
  std::vector<std::optional<std::size_t>> before(happenings_.size());
  std::deque<std::size_t> next{from};
  while (!next.empty() && !before[to]) {
    const std::size_t at = next.front();
    next.pop_front();
    for (const Step& step : steps_[at]) {
      const bool barred = !past_once && happenings_[step.to].emission().once;
      if (barred || before[step.to]) continue;
      before[step.to] = at;
      next.push_back(step.to);
    }
  }
  if (!before[to]) return {};
  std::vector<std::size_t> path{to};
  do {
    path.push_back(*before[path.back()]);
  } while (path.back() != from);
  std::ranges::reverse(path);
  return path;
}

const Causality::Step* Causality::step_between(std::size_t from, std::size_t to) const {
  const auto found = std::ranges::find(steps_[from], to, &Step::to);
  return found == steps_[from].end() ? nullptr : &*found;
}

std::string Causality::tell(const std::vector<std::size_t>& path) const {
  std::string text;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const Happening& happening = happenings_[path[at]];
    if (at == 0) {
      text = happening.type() + " of " + happening.service->service;
      continue;
    }
    const Step* const step = step_between(path[at - 1], path[at]);
    text += " → " + happening.service->service + " (rule " + (step != nullptr ? step->rule : "")
            + ") → " + happening.type();
  }
  return text;
}

}  // namespace conga::bus
