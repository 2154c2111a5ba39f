// SPDX-License-Identifier: Apache-2.0
//
// Expectations: carries out what ExpectationWatch decides. It tells an event that stayed away on
// the bus (source `conga.expectations`, detail-type `ExpectationMissed`) and has the journal forget
// an expectation once it was met, or its miss is durable.

#pragma once

#include "bus/sidecar/event_bodies.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/expectation_watch.h"
#include "bus/sidecar/own_events.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class Expectations {
public:
  /// What a routed event says about expectations, by position among the targets: behind them,
  /// 2n is "begins the expectation n", 2n + 1 "is what n expects".
  struct Mark {
    std::size_t position = 0;
    bool begins = false;
  };

  /// Both must outlive it. At most `most` are open at a time.
  Expectations(EventBodies& bodies, OwnEvents& events, std::size_t most)
      : bodies_(bodies), events_(events), watch_(most) {}

  /// Rules were loaded: what they expect.
  void set_table(std::vector<LinkExpectation> expectations);

  /// How many indices mark_at() knows.
  std::size_t marks() const { return 2 * watch_.table().size(); }

  /// Nothing if there is no such expectation.
  std::optional<Mark> mark_at(std::size_t index) const;

  /// The expectations among `marks` that `event` begins, as the journal is to owe them.
  void name_begun(std::span<const Mark> marks,
                  std::string_view event,
                  std::vector<TargetName>& names);

  /// `event` has come; `ref` is where it is kept, with what name_begun() named, or nothing if it
  /// had come before.
  void take(const Time& now,
            std::span<const Mark> marks,
            std::string_view event,
            const std::optional<EventRef>& ref);

  /// From the journal, before the first table.
  void recover(const PendingDelivery& delivery) { recovered_.push_back(delivery); }

  /// Tells what stayed away.
  void step(const Time& now);

  /// Appends what has ended to the journal. An error is fatal.
  Result<> record(const Time& now, EventStore& store);

  /// record() has something to do.
  bool wants_record() const { return !ended_.empty(); }

  std::optional<SteadyTime> wake_at(const Time& now) const;

  std::vector<ExpectationState> states() const { return watch_.states(); }

private:
  struct Ended {
    OpenExpectation open;
    std::string code;  ///< Empty: it was met.
  };

  OrderingKey key_of(std::size_t position, std::string_view event) const;
  void resume();
  void tell(const OpenExpectation& missed);

  EventBodies& bodies_;
  OwnEvents& events_;
  ExpectationWatch watch_;
  std::vector<PendingDelivery> recovered_;  ///< Whose expectations are not known yet.
  std::vector<Mark> begun_;                 ///< What name_begun() named.
  std::vector<Ended> ended_;
};

}  // namespace conga::bus
