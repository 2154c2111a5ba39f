// SPDX-License-Identifier: Apache-2.0
//
// LinkGate: whether another event may go over the link to the sidecar. It counts the bytes that the
// sidecar has not yet said to have handled, and knows from its heartbeats whether it lives.

#pragma once

#include "bus/sidecar/link.h"
#include "common/core/clock.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

namespace conga::bus {

struct LinkOptions {
  std::size_t window = std::size_t{8} << 20U;          ///< Bytes on their way.
  Duration patience = std::chrono::milliseconds(100);  ///< How long publishers may be held back.
  Duration timeout = std::chrono::seconds(1);  ///< No `link/alive` for it: the link is down.
  Duration repeat_table = std::chrono::milliseconds(100);
};

class LinkGate {
public:
  enum class State : std::uint8_t {
    Down,   ///< The sidecar is not heard of: puts are refused as Unavailable.
    Open,   ///< Events may go over.
    Full,   ///< The window is full: publishers wait in their sockets for a moment.
    Stuck,  ///< It has been full for longer than that: puts are refused as Unavailable.
  };

  LinkGate(std::uint64_t boot, LinkOptions options) : boot_(boot), options_(options) {}

  State state() const { return state_; }

  /// Works off a heartbeat. True: the sidecar does not know our table of `generation`; send it.
  bool on_alive(const Time& now, const LinkAlive& alive, std::uint64_t generation);

  /// The table was sent for another reason than on_alive().
  void on_table_sent(const Time& now) { table_sent_ = now.steady; }

  /// The number of the next `link/routed`, which holds `bytes` and is now on its way.
  std::uint64_t send(const Time& now, std::size_t bytes);

  /// Lets time pass: on_alive() and send() look at nothing that is overdue.
  void advance(const Time& now);

  std::optional<SteadyTime> wake_at() const;

  std::size_t in_window() const { return in_window_; }

  bool is_empty() const { return batches_.empty(); }

  std::uint64_t sidecar_boot() const { return sidecar_boot_; }

  std::uint64_t sent() const { return last_sequence_; }

  /// How often what was on its way was given up: the publishers put it again.
  std::uint64_t resets() const { return resets_; }

private:
  struct Batch {
    std::uint64_t sequence;
    std::size_t bytes;
  };

  void reset();
  void update_fullness(const Time& now);

  std::uint64_t boot_;
  LinkOptions options_;
  State state_ = State::Down;
  std::uint64_t sidecar_boot_ = 0;
  std::optional<SteadyTime> alive_;
  std::optional<SteadyTime> table_sent_;
  std::deque<Batch> batches_;
  std::size_t in_window_ = 0;
  std::uint64_t last_sequence_ = 0;
  SteadyTime progress_;                   ///< When the window last moved, or began to fill.
  std::optional<SteadyTime> full_since_;  ///< If it is full.
  std::uint64_t resets_ = 0;
};

std::string_view name_of(LinkGate::State state);

}  // namespace conga::bus
