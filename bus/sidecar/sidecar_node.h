// SPDX-License-Identifier: Apache-2.0
//
// SidecarNode: makes routed events durable, then delivers them. It lets the DeliveryEngine decide
// and carries out what it decided, in the one order that keeps the promises: dead letters are
// stored before the journal forgets a delivery, the journal is synced before anything is answered
// or sent, and a redriven dead letter is removed after the journal owes its delivery again.

#pragma once

#include "bus/sidecar/archive_log.h"
#include "bus/sidecar/audit_log.h"
#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/paused_targets.h"
#include "bus/sidecar/recent_ids.h"
#include "bus/sidecar/started_targets.h"
#include "bus/sidecar/trace_source.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/core/result.h"
#include "common/log/log.h"
#include "common/runtime/node.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace conga::bus {

struct SidecarOptions {
  EngineOptions engine;
  RecentIdsOptions dedup;
  ValueLimits limits;
  Duration alive_interval = std::chrono::milliseconds(100);
  Duration drain_patience = std::chrono::seconds(2);    ///< For what is in flight, at SIGTERM.
  std::size_t frame_size = std::size_t{256} * 1024;     ///< A frame is closed when it is this big.
  std::size_t turn_size = std::size_t{8} << 20U;        ///< Bytes of events delivered in a turn.
  std::size_t cache_size = std::size_t{32} << 20U;      ///< Bytes of the newest events in memory.
  std::size_t catch_up_size = std::size_t{256} * 1024;  ///< See CatchUps.
  std::string bus = "main";                             ///< What metrics call the bus.
  std::size_t most_expectations = 1'000'000;            ///< Open at a time; see ExpectationWatch.
  bool announce_dead_letters = true;                    ///< With events on the bus: see LetterNews.

  /// The time while a turn goes on, to measure how long its sync takes; empty: it is not measured.
  std::function<SteadyTime()> stopwatch = {};
};

/// Opens what a sidecar keeps, in this order: the journal first, for it has the lock.
struct SidecarStores {
  /// Gives what the journal recovers to the visitor.
  std::function<Result<std::unique_ptr<EventStore>>(RecoveryVisitor&)> open_events;
  std::function<Result<std::unique_ptr<DeadLetters>>()> open_dead_letters;

  /// May be empty: what is paused is forgotten at the end of the process then.
  std::function<Result<std::unique_ptr<PausedTargets>>()> open_paused;

  /// May be empty: every target begins with the next event, whatever its `start`. Called while
  /// the journal recovers, when it is locked.
  std::function<Result<std::unique_ptr<StartedTargets>>()> open_started;

  /// May be empty: what operators change is logged only.
  std::function<Result<std::unique_ptr<AuditLog>>()> open_audit;

  /// May be empty: the verb `trace` is refused then.
  std::function<Result<std::unique_ptr<TraceSource>>()> open_traces;

  /// Called whenever the rules name an archive. May be empty: events for archives stay owed to
  /// them then.
  OpenArchive open_archive;
};

class SidecarNode final : public Node {
public:
  /// Recovers what is pending. Fails as the journal does: Corrupt means that the sidecar must not
  /// start and guess. `random` and `log` must outlive the Node.
  static Result<std::unique_ptr<SidecarNode>> open(const Time& now,
                                                   SidecarOptions options,
                                                   const SidecarStores& stores,
                                                   Random& random,
                                                   Log& log);

  SidecarNode(const SidecarNode&) = delete;
  SidecarNode& operator=(const SidecarNode&) = delete;
  ~SidecarNode() override;

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  void measure(const Time& now, MetricsPage& page) const override;
  void drain(const Time& now) override;
  bool drained() const override;

private:
  struct State;

  explicit SidecarNode(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace conga::bus
