// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/target_queue.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

/// Later in age: what makes std::push_heap keep the oldest on top.
bool younger(const Pending& one, const Pending& other) {
  if (one.ingested != other.ingested) return one.ingested > other.ingested;
  return one.event.sequence > other.event.sequence;
}

std::optional<SteadyTime> earlier(std::optional<SteadyTime> one, SteadyTime other) {
  return one ? std::min(*one, other) : other;
}

}  // namespace

void TargetQueue::set_max_age(Duration max_age) {
  if (max_age == max_age_) return;
  max_age_ = max_age;
  const auto order = [this](const Pending& one, const Pending& other) { return later(one, other); };
  std::make_heap(waiting_.begin(), waiting_.end(), order);
}

void TargetQueue::set_ordered(bool ordered) {
  ordered_ = ordered;
  // Whatever order was kept is void: the field it was kept by is another one now.
  for (auto& [key, parked] : held_) {
    if (!parked) continue;
    for (Pending& pending : *parked) {
      pending.key = kNoKey;
      make_ready(pending);
    }
  }
  held_.clear();
  parked_ = 0;
  for (Heap* heap : {&ready_, &waiting_}) {
    for (Pending& pending : *heap) pending.key = kNoKey;
  }
}

void TargetQueue::push(const EventRef& event, SteadyTime ingested) {
  fresh_.push_back({event, ingested});
}

void TargetQueue::push_back(SteadyTime now, Pending pending) {
  if (pending.due <= now) {
    make_ready(pending);
  } else {
    make_waiting(pending);
  }
}

std::optional<Pending> TargetQueue::pop(const KeyOf& key_of) {
  constexpr std::size_t kAside = 1024;
  for (std::size_t aside = 0; aside < kAside && has_ready(); ++aside) {
    // What is not durable is the youngest, so it is not the oldest of several.
    auto pending = pop_oldest();
    if (!pending || !ordered_ || claim(*pending, key_of)) return pending;
  }
  return std::nullopt;
}

/// False: another delivery holds the key, and this one now waits behind it. One that was tried
/// before has held its key since.
bool TargetQueue::claim(Pending& pending, const KeyOf& key_of) {
  if (pending.key != kNoKey) return true;
  pending.key = key_of(pending.event);
  if (pending.key == kNoKey || hold(pending.key)) return true;
  Parked& parked = held_[pending.key];
  if (!parked) parked = std::make_unique<std::deque<Pending>>();
  parked->push_back(pending);
  ++parked_;
  return false;
}

bool TargetQueue::hold(OrderingKey key) {
  return held_.try_emplace(key).second;
}

void TargetQueue::release(OrderingKey key) {
  const auto held = held_.find(key);
  if (key == kNoKey || held == held_.end()) return;
  if (!held->second || held->second->empty()) {
    held_.erase(held);
    return;
  }
  // The key passes on without being free in between, so nothing younger can slip in.
  make_ready(held->second->front());
  held->second->pop_front();
  --parked_;
}

void TargetQueue::find_keys(const KeyOf& key_of) {
  std::vector<Pending> tried(ready_.begin(), ready_.end());
  tried.insert(tried.end(), waiting_.begin(), waiting_.end());
  ready_.clear();
  waiting_.clear();
  std::sort(tried.begin(), tried.end(), [](const Pending& one, const Pending& other) {
    return one.event.sequence < other.event.sequence;
  });
  for (Pending& pending : tried) {
    pending.key = kNoKey;
    if (claim(pending, key_of)) make_waiting(pending);
  }
}

std::optional<Pending> TargetQueue::pop_oldest() {
  const bool fresh =
      !fresh_.empty() && (ready_.empty() || younger(ready_.front(), to_pending(fresh_.front())));
  if (fresh) {
    const Pending pending = to_pending(fresh_.front());
    fresh_.pop_front();
    return pending;
  }
  if (ready_.empty()) return std::nullopt;
  std::pop_heap(ready_.begin(), ready_.end(), younger);
  const Pending pending = ready_.back();
  ready_.pop_back();
  return pending;
}

void TargetQueue::advance(SteadyTime now) {
  const auto order = [this](const Pending& one, const Pending& other) { return later(one, other); };
  while (!waiting_.empty() && wake_of(waiting_.front()) <= now) {
    std::pop_heap(waiting_.begin(), waiting_.end(), order);
    make_ready(waiting_.back());
    waiting_.pop_back();
  }
}

std::optional<Pending> TargetQueue::pop_expired(SteadyTime now) {
  // advance() has moved what expired while it waited for a retry: expiring wakes it too.
  const bool fresh = !fresh_.empty() && fresh_.front().ingested + max_age_ <= now;
  const bool tried = !ready_.empty() && ready_.front().ingested + max_age_ <= now;
  if (!fresh && !tried) return std::nullopt;
  return pop_oldest();
}

std::optional<Pending> TargetQueue::pop_any() {
  if (auto oldest = pop_oldest()) return oldest;
  if (waiting_.empty()) {
    set_ordered(false);
    return pop_oldest();
  }
  // Any order will do, and taking the last of a heap leaves a heap.
  const Pending pending = waiting_.back();
  waiting_.pop_back();
  return pending;
}

void TargetQueue::revise(SteadyTime now, const std::function<bool(Pending&)>& change) {
  Heap tried;
  tried.swap(ready_);
  tried.insert(tried.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  for (Pending& pending : tried) {
    if (change(pending)) push_back(now, pending);
  }
}

std::optional<SteadyTime> TargetQueue::next_deadline() const {
  std::optional<SteadyTime> next;
  if (!fresh_.empty()) next = fresh_.front().ingested + max_age_;
  if (!ready_.empty()) next = earlier(next, ready_.front().ingested + max_age_);
  if (!waiting_.empty()) next = earlier(next, wake_of(waiting_.front()));
  return next;
}

std::optional<SteadyTime> TargetQueue::oldest() const {
  constexpr std::size_t kLook = 10'000;
  std::optional<SteadyTime> oldest;
  if (!fresh_.empty()) oldest = fresh_.front().ingested;
  if (!ready_.empty()) oldest = earlier(oldest, ready_.front().ingested);
  for (std::size_t at = 0; at < std::min(kLook, waiting_.size()); ++at) {
    oldest = earlier(oldest, waiting_[at].ingested);
  }
  return oldest;
}

Pending TargetQueue::to_pending(const Fresh& fresh) {
  Pending pending;
  pending.event = fresh.event;
  pending.ingested = fresh.ingested;
  return pending;
}

void TargetQueue::make_ready(Pending pending) {
  ready_.push_back(pending);
  std::push_heap(ready_.begin(), ready_.end(), younger);
}

void TargetQueue::make_waiting(Pending pending) {
  const auto order = [this](const Pending& one, const Pending& other) { return later(one, other); };
  waiting_.push_back(pending);
  std::push_heap(waiting_.begin(), waiting_.end(), order);
}

SteadyTime TargetQueue::wake_of(const Pending& pending) const {
  return std::min(pending.due, pending.ingested + max_age_);
}

bool TargetQueue::later(const Pending& one, const Pending& other) const {
  const SteadyTime at = wake_of(one);
  const SteadyTime other_at = wake_of(other);
  if (at != other_at) return at > other_at;
  return one.event.sequence > other.event.sequence;
}

}  // namespace conga::bus
