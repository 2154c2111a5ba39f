// SPDX-License-Identifier: Apache-2.0
//
// Plan: what one run of the load tool does. Lane and Control: the memory that its processes share.

#pragma once

#include "tests/bench/load/histogram.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace conga::bench {

struct Plan {
  std::string system;     ///< conga, zmq-proxy, nats, jetstream, redis, rabbitmq
  std::string publish;    ///< The endpoint of publishers; host:port where there is only one.
  std::string subscribe;  ///< conga and zmq-proxy: the endpoint of consumers.
  std::string topic;      ///< conga: consumers subscribe to `topic/NAME`; empty: durable.
  std::size_t publishers = 1;
  std::size_t consumers = 1;
  std::size_t size = 600;       ///< Bytes of an event, its envelope included.
  std::size_t window = 1024;    ///< Events of a publisher that are not acknowledged yet.
  std::size_t backlog = 16384;  ///< Events that are put and not consumed yet, of all publishers.
  std::size_t credit = 1024;    ///< Of a consumer: credit, prefetch, count of a read.
  std::size_t kinds = 1;        ///< Events take turns in carrying this many different kinds.
  std::size_t copies = 1;       ///< Deliveries of one event.
  std::size_t batch = 262144;   ///< conga: bytes of a put message; 1: one event a message.
  std::size_t services = 1;     ///< conga: consumers belong to bench-0, bench-1, … in turn.
  std::uint64_t slow = 0;       ///< conga: consumer 0 takes so many microseconds an event.
  double rate = 0;              ///< Events a second of all publishers; 0: as fast as it goes.
  double warmup = 1;            ///< Seconds before the measuring …
  double seconds = 3;           ///< … and of it.

  bool durable() const { return topic.empty() && system != "zmq-proxy" && system != "nats"; }
};

inline constexpr std::size_t kMostLanes = 256;

/// One publisher's or consumer's, written by it alone.
struct alignas(64) Lane {
  std::atomic<bool> ready{false};
  std::atomic<bool> failed{false};
  std::atomic<std::uint64_t> put{0};    ///< Publisher: handed to the system.
  std::atomic<std::uint64_t> done{0};   ///< Publisher: acknowledged. Consumer: taken and settled.
  std::atomic<std::uint64_t> again{0};  ///< Publisher: repeated.
  Histogram latency;                    ///< Consumer: from put to handler.
  Histogram answer;                     ///< Publisher: from put to acknowledgement, where known.
};

struct Control {
  std::atomic<bool> go{false};
  std::atomic<bool> measuring{false};
  std::atomic<bool> stop{false};
  std::array<Lane, kMostLanes> publishers;
  std::array<Lane, kMostLanes> consumers;
};

/// What one process of the run knows of it.
class Side {
public:
  Side(const Plan& plan, Control& control, bool publishes, std::size_t number);

  const Plan& plan() const { return plan_; }

  std::size_t number() const { return number_; }

  /// `bench-put-3`, unique in the run.
  std::string name() const;

  Lane& lane() { return lane_; }

  /// Says that the connections stand, and waits until all others' do.
  void start();

  bool going() const { return control_.go.load(std::memory_order_relaxed); }

  bool stopped() const { return control_.stop.load(std::memory_order_relaxed); }

  /// A publisher: how many events may be put now, by rate and backlog.
  std::size_t allowance();
  void note_put(std::size_t count);
  void note_done(std::size_t count);

  /// When allowance() may next be more: steady nanoseconds.
  std::uint64_t next_look() const;

  /// A consumer: an event that was put at `sent` is being handled at `now`.
  void note_delivery(std::uint64_t sent, std::uint64_t now);
  void note_answer(std::uint64_t sent, std::uint64_t now);

private:
  std::uint64_t consumed() const;

  const Plan& plan_;
  Control& control_;
  Lane& lane_;
  bool publishes_;
  std::size_t number_;
  std::uint64_t began_ = 0;
  std::uint64_t put_ = 0;
  std::uint64_t lost_ = 0;           ///< At most once: given up, so that the window goes on.
  std::uint64_t last_consumed_ = 0;  ///< To notice that nothing moves.
  std::uint64_t moved_at_ = 0;
};

/// Steady nanoseconds, the same for all processes of a machine.
std::uint64_t now_ns();
void sleep_until(std::uint64_t ns);

/// An event for systems that do not look into it: the time of putting, then filler.
class Payload {
public:
  explicit Payload(std::size_t size);

  const std::string& stamp(std::uint64_t now);
  static std::uint64_t sent(const void* data, std::size_t size);

private:
  std::string bytes_;
};

}  // namespace conga::bench
