// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/plan.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace conga::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kLook = 20'000;           // While the backlog is full.
constexpr std::uint64_t kStanding = kSecond / 4;  // At most once: what has not come is lost.

timespec to_timespec(std::uint64_t ns) {
  timespec time{};
  time.tv_sec = static_cast<std::time_t>(ns / kSecond);
  time.tv_nsec = static_cast<long>(ns % kSecond);
  return time;
}

}  // namespace

std::uint64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond
         + static_cast<std::uint64_t>(time.tv_nsec);
}

void sleep_until(std::uint64_t ns) {
  const timespec until = to_timespec(ns);
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

Side::Side(const Plan& plan, Control& control, bool publishes, std::size_t number)
    : plan_(plan),
      control_(control),
      lane_(publishes ? control.publishers[number] : control.consumers[number]),
      publishes_(publishes),
      number_(number) {}

std::string Side::name() const {
  return (publishes_ ? "bench-put-" : "bench-take-") + std::to_string(number_);
}

void Side::start() {
  lane_.ready.store(true);
  while (!going() && !stopped()) sleep_until(now_ns() + kSecond / 1000);
}

/// Events that every consumer has had: each of them takes a share of all deliveries, or all.
std::uint64_t Side::consumed() const {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < plan_.consumers; ++at) {
    sum += control_.consumers[at].done.load(std::memory_order_relaxed);
  }
  return sum / plan_.copies;
}

std::size_t Side::allowance() {
  const std::uint64_t now = now_ns();
  if (began_ == 0) began_ = moved_at_ = now;
  const std::uint64_t consumed_now = consumed();
  if (consumed_now != last_consumed_) {
    last_consumed_ = consumed_now;
    moved_at_ = now;
  }
  const std::uint64_t mine = consumed_now / plan_.publishers + lost_;
  std::uint64_t open = put_ > mine ? put_ - mine : 0;
  const std::uint64_t limit = std::max<std::uint64_t>(plan_.backlog / plan_.publishers, 1);
  if (!plan_.durable() && open >= limit && now - moved_at_ > kStanding) {
    lost_ += open;
    open = 0;
    moved_at_ = now;
  }
  std::uint64_t room = open < limit ? limit - open : 0;
  if (plan_.rate > 0) {
    const double share = plan_.rate / static_cast<double>(plan_.publishers);
    const auto due = static_cast<std::uint64_t>(static_cast<double>(now - began_) * share / 1e9);
    room = std::min(room, due > put_ ? due - put_ : 0);
  }
  return room;
}

std::uint64_t Side::next_look() const {
  if (plan_.rate <= 0) return now_ns() + kLook;
  const double share = plan_.rate / static_cast<double>(plan_.publishers);
  const double due = static_cast<double>(put_ + 1) * 1e9 / share;
  return std::max(began_ + static_cast<std::uint64_t>(due) + 1, now_ns() + 1000);
}

void Side::note_put(std::size_t count) {
  put_ += count;
  lane_.put.store(put_, std::memory_order_relaxed);
}

void Side::note_done(std::size_t count) {
  lane_.done.fetch_add(count, std::memory_order_relaxed);
}

void Side::note_delivery(std::uint64_t sent, std::uint64_t now) {
  if (!control_.measuring.load(std::memory_order_relaxed)) return;
  lane_.latency.record(now > sent ? now - sent : 0);
}

void Side::note_answer(std::uint64_t sent, std::uint64_t now) {
  if (!control_.measuring.load(std::memory_order_relaxed)) return;
  lane_.answer.record(now > sent ? now - sent : 0);
}

Payload::Payload(std::size_t size) : bytes_(std::max(size, sizeof(std::uint64_t)), 'x') {
  // Not all the same byte, lest something compresses it.
  std::uint64_t state = 88172645463325252U;
  for (char& byte : bytes_) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    byte = static_cast<char>('a' + state % 26);
  }
}

const std::string& Payload::stamp(std::uint64_t now) {
  std::memcpy(bytes_.data(), &now, sizeof now);
  return bytes_;
}

std::uint64_t Payload::sent(const void* data, std::size_t size) {
  std::uint64_t sent = 0;
  if (size >= sizeof sent) std::memcpy(&sent, data, sizeof sent);
  return sent;
}

}  // namespace conga::bench
