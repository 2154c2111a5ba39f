// SPDX-License-Identifier: Apache-2.0

#include "bus/link_gate.h"

#include <algorithm>

namespace conga::bus {

bool LinkGate::on_alive(const Time& now, const LinkAlive& alive, std::uint64_t generation) {
  const bool reborn = alive.boot != sidecar_boot_;
  if (reborn) {
    if (!batches_.empty()) reset();
    sidecar_boot_ = alive.boot;
    table_sent_.reset();
  }
  alive_ = now.steady;
  if (alive.forwarder_boot == boot_) {
    while (!batches_.empty() && batches_.front().sequence <= alive.accepted) {
      in_window_ -= batches_.front().bytes;
      batches_.pop_front();
      progress_ = now.steady;
    }
    if (alive.generation == generation) {
      advance(now);
      return false;
    }
  }
  // The table goes before any event on the same ordered way, so events need not wait for an echo.
  const bool due = !table_sent_ || now.steady - *table_sent_ >= options_.repeat_table;
  if (due) table_sent_ = now.steady;
  advance(now);
  return due;
}

std::uint64_t LinkGate::send(const Time& now, std::size_t bytes) {
  if (batches_.empty()) progress_ = now.steady;
  batches_.push_back({.sequence = ++last_sequence_, .bytes = bytes});
  in_window_ += bytes;
  update_fullness(now);
  return last_sequence_;
}

void LinkGate::advance(const Time& now) {
  const bool up = alive_ && now.steady - *alive_ < options_.timeout;
  // Batches that a living sidecar does not account for were lost on the way.
  const bool lost = up && !batches_.empty() && now.steady - progress_ >= options_.timeout;
  if (lost) reset();
  state_ = up ? State::Open : State::Down;
  update_fullness(now);
}

void LinkGate::update_fullness(const Time& now) {
  if (in_window_ < options_.window) {
    full_since_.reset();
  } else if (!full_since_) {
    full_since_ = now.steady;
  }
  if (state_ == State::Down) return;
  state_ = State::Open;
  if (!full_since_) return;
  state_ = now.steady - *full_since_ >= options_.patience ? State::Stuck : State::Full;
}

std::optional<SteadyTime> LinkGate::wake_at() const {
  if (state_ == State::Down) return std::nullopt;
  SteadyTime wake = *alive_ + options_.timeout;
  if (state_ == State::Full) wake = std::min(wake, *full_since_ + options_.patience);
  if (!batches_.empty()) wake = std::min(wake, progress_ + options_.timeout);
  return wake;
}

void LinkGate::reset() {
  batches_.clear();
  in_window_ = 0;
  ++resets_;
}

std::string_view name_of(LinkGate::State state) {
  switch (state) {
    case LinkGate::State::Down:
      return "down";
    case LinkGate::State::Open:
      return "up";
    case LinkGate::State::Full:
      return "full";
    case LinkGate::State::Stuck:
      return "stuck";
  }
  return "down";
}

}  // namespace conga::bus
