// SPDX-License-Identifier: Apache-2.0

#include "cli/flow_map.h"

#include "bus/sidecar/link.h"
#include "bus/sidecar/pseudo_targets.h"

#include <algorithm>

namespace conga::cli {
namespace {

using bus::Arrow;
using bus::Declaration;

Duration percentile(std::vector<std::uint32_t> took, double share) {
  if (took.empty()) return Duration(0);
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(took.size() - 1));
  std::ranges::nth_element(took, took.begin() + rank);
  return std::chrono::milliseconds(took[static_cast<std::size_t>(rank)]);
}

std::uint32_t milliseconds_between(WallTime from, WallTime to) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(took, 0, 0xffff'ffff));
}

bool is_service(const std::vector<Declaration>& services, const std::string& name) {
  return std::ranges::find(services, name, &Declaration::service) != services.end();
}

bool is_topic(const Arrow& arrow) {
  return arrow.to.starts_with("topic: ");
}

}  // namespace

FlowMap::FlowMap(const std::vector<Declaration>& declared) {
  for (const Declaration& each : declared) service_of_source_[each.source] = each.service;
}

void FlowMap::add(const JournalEntry& entry) {
  if (entry.type == bus::kEventRecord) return add_event(entry);
  if (entry.type == bus::kSettledRecord) return add_ending(entry.settled);
  if (entry.type == bus::kRetryRecord) return add_retry(entry.retry);
}

const std::string& FlowMap::node_of(const std::string& source) const {
  const auto known = service_of_source_.find(source);
  return known == service_of_source_.end() ? source : known->second;
}

void FlowMap::add_event(const JournalEntry& entry) {
  if (entry.event.ingested < since_) return;
  if (events_++ == 0) first_ = last_ = entry.event.ingested;
  first_ = std::min(first_, entry.event.ingested);
  last_ = std::max(last_, entry.event.ingested);
  const std::string source(entry.view->source);
  const std::string type(entry.view->detail_type);
  // What the sidecar waits for or archives is no delivery, and its own news needs no taker.
  const auto is_delivery = [](const bus::TargetName& target) {
    return !bus::is_pseudo_target(target.target);
  };
  if (!std::ranges::any_of(entry.targets, is_delivery)) {
    if (!source.starts_with(bus::kOwnSourcePrefix)) ++unmatched_[{source, type}];
    return;
  }
  std::vector<Open>& open = open_[entry.event.sequence];
  for (const bus::TargetName& target : entry.targets) {
    if (!is_delivery(target)) continue;
    EdgeData& edge = edges_[{node_of(source), type, target.rule, target.target}];
    ++edge.count;
    const bus::TargetName& name = *names_.insert(target).first;
    open.push_back({.edge = &edge, .target = &name, .ingested = entry.event.ingested});
  }
}

FlowMap::Open* FlowMap::find(bus::Sequence sequence, const bus::TargetName& target) {
  const auto open = open_.find(sequence);
  if (open == open_.end()) return nullptr;
  const auto same = [&target](const Open& each) { return *each.target == target; };
  const auto found = std::ranges::find_if(open->second, same);
  return found == open->second.end() ? nullptr : &*found;
}

void FlowMap::add_ending(const bus::SettledRecord& record) {
  Open* const open = find(record.sequence, record.target);
  if (open == nullptr) return;
  if (record.ending == bus::Ending::DeadLetter) {
    ++open->edge->dead_letters;
  } else {
    open->edge->took.push_back(milliseconds_between(open->ingested, record.at));
  }
  std::vector<Open>& all = open_.at(record.sequence);
  all.erase(all.begin() + (open - all.data()));
  if (all.empty()) open_.erase(record.sequence);
}

void FlowMap::add_retry(const bus::RetryRecord& record) {
  Open* const open = find(record.sequence, record.target);
  if (open != nullptr) ++open->edge->retries;
}

std::vector<FlowEdge> FlowMap::edges(WallTime now) const {
  std::map<const EdgeData*, std::pair<std::uint64_t, WallTime>> pending;
  for (const auto& [sequence, all] : open_) {
    for (const Open& open : all) {
      auto& [count, oldest] = pending.try_emplace(open.edge, 0, open.ingested).first->second;
      ++count;
      oldest = std::min(oldest, open.ingested);
    }
  }
  std::vector<FlowEdge> edges;
  for (const auto& [key, data] : edges_) {
    const auto waiting = pending.find(&data);
    const bool waits = waiting != pending.end();
    edges.push_back({.from = std::get<0>(key),
                     .detail_type = std::get<1>(key),
                     .rule = std::get<2>(key),
                     .to = std::get<3>(key),
                     .count = data.count,
                     .retries = data.retries,
                     .dead_letters = data.dead_letters,
                     .pending = waits ? waiting->second.first : 0,
                     .oldest_pending = waits ? now - waiting->second.second : Duration(0),
                     .p50 = percentile(data.took, 0.5),
                     .p99 = percentile(data.took, 0.99)});
  }
  return edges;
}

FlowDifference difference_of(const std::vector<FlowEdge>& seen,
                             const std::vector<Arrow>& declared,
                             const std::vector<Declaration>& services) {
  std::vector<Arrow> happened;
  for (const FlowEdge& edge : seen) {
    const bool outside = !is_service(services, edge.from);
    happened.push_back({.from = outside ? std::string(bus::kOutside) : edge.from,
                        .detail_type = edge.detail_type,
                        .rule = edge.rule,
                        .to = edge.to,
                        .target = edge.to});
  }
  const auto among = [](const std::vector<Arrow>& arrows, const Arrow& arrow) {
    return std::ranges::any_of(arrows, [&arrow](const Arrow& each) {
      return each.from == arrow.from && each.detail_type == arrow.detail_type
             && each.rule == arrow.rule && each.target == arrow.target;
    });
  };
  FlowDifference difference;
  for (const Arrow& arrow : declared) {
    // What goes to a topic alone is not in the journal.
    if (!is_topic(arrow) && !among(happened, arrow)) difference.unseen.push_back(arrow);
  }
  for (const Arrow& arrow : happened) {
    if (!among(declared, arrow)) difference.undeclared.push_back(arrow);
  }
  return difference;
}

}  // namespace conga::cli
