// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/expectation_watch.h"

#include <algorithm>

namespace conga::bus {

std::vector<OpenExpectation> ExpectationWatch::set_table(
    std::vector<LinkExpectation> expectations) {
  table_ = std::move(expectations);
  std::vector<OpenExpectation> ended;
  for (auto at = open_.begin(); at != open_.end();) {
    const auto next = std::next(at);
    const bool known =
        std::ranges::find(table_, at->second.name, &LinkExpectation::name) != table_.end();
    if (!known) ended.push_back(remove(at));
    at = next;
  }
  std::map<std::string, ExpectationState, std::less<>> kept;
  for (const LinkExpectation& expectation : table_) {
    const auto old = states_.find(expectation.name);
    kept[expectation.name] = old == states_.end() ? ExpectationState{} : old->second;
    kept[expectation.name].name = expectation.name;
  }
  states_ = std::move(kept);
  return ended;
}

bool ExpectationWatch::has_room_for(std::size_t position, OrderingKey key) {
  if (key != kNoKey && open_.size() < most_) return true;
  ++states_[table_[position].name].passed_over;
  return false;
}

std::optional<OpenExpectation> ExpectationWatch::begin(
    std::size_t position, const EventRef& event, OrderingKey key, WallTime made, WallTime now) {
  const LinkExpectation& expectation = table_[position];
  OpenExpectation open{.name = expectation.name,
                       .event = event,
                       .key = key,
                       .begun = now,
                       .due = now + expectation.within};
  const auto early = early_.find({open.name, key});
  if (early != early_.end() && early->second.made > made) {
    ++states_[open.name].met;
    return open;
  }
  add(std::move(open));
  return std::nullopt;
}

void ExpectationWatch::remember(const LinkExpectation& expectation,
                                OrderingKey key,
                                WallTime made,
                                WallTime now) {
  Lane lane{expectation.name, key};
  Early& early = early_.try_emplace(lane, Early{made, now}).first->second;
  early = {std::max(early.made, made), now};
  early_order_.emplace_back(now, std::move(lane));
  // What came long ago overtook nothing; and memory is bounded.
  constexpr Duration kLongestDetour = std::chrono::minutes(1);
  while (!early_order_.empty()
         && (early_order_.front().first + kLongestDetour < now || early_order_.size() > most_)) {
    const auto found = early_.find(early_order_.front().second);
    if (found != early_.end() && found->second.come == early_order_.front().first) {
      early_.erase(found);
    }
    early_order_.pop_front();
  }
}

void ExpectationWatch::recover(std::string name,
                               const EventRef& event,
                               OrderingKey key,
                               WallTime begun) {
  const WallTime due = begun + within_of(name);
  add({.name = std::move(name), .event = event, .key = key, .begun = begun, .due = due});
}

void ExpectationWatch::add(OpenExpectation open) {
  Place place{open.due, {open.event.sequence, open.name}};
  lanes_[{open.name, open.key}].insert(place);
  ++states_[open.name].open;
  open_.emplace(std::move(place), std::move(open));
}

OpenExpectation ExpectationWatch::remove(std::map<Place, OpenExpectation>::iterator at) {
  OpenExpectation open = std::move(at->second);
  const auto lane = lanes_.find({open.name, open.key});
  lane->second.erase(at->first);
  if (lane->second.empty()) lanes_.erase(lane);
  open_.erase(at);
  if (const auto state = states_.find(open.name); state != states_.end()) --state->second.open;
  return open;
}

std::vector<OpenExpectation> ExpectationWatch::meet(std::size_t position,
                                                    OrderingKey key,
                                                    WallTime made,
                                                    WallTime now) {
  remember(table_[position], key, made, now);
  std::vector<OpenExpectation> met;
  const auto lane = lanes_.find({table_[position].name, key});
  if (lane == lanes_.end()) return met;
  const std::set<Place> places = lane->second;
  for (const Place& place : places) {
    if (place.first < now) continue;
    met.push_back(remove(open_.find(place)));
    ++states_[met.back().name].met;
  }
  return met;
}

std::vector<OpenExpectation> ExpectationWatch::take_missed(WallTime now, std::size_t most) {
  std::vector<OpenExpectation> missed;
  while (!open_.empty() && open_.begin()->first.first <= now && missed.size() < most) {
    missed.push_back(remove(open_.begin()));
    ++states_[missed.back().name].missed;
  }
  return missed;
}

std::optional<WallTime> ExpectationWatch::next_due() const {
  if (open_.empty()) return std::nullopt;
  return open_.begin()->first.first;
}

std::vector<ExpectationState> ExpectationWatch::states() const {
  std::vector<ExpectationState> states;
  for (const auto& each : states_) states.push_back(each.second);
  return states;
}

Duration ExpectationWatch::within_of(std::string_view name) const {
  const auto found = std::ranges::find(table_, name, &LinkExpectation::name);
  return found == table_.end() ? Duration(0) : found->within;
}

}  // namespace conga::bus
