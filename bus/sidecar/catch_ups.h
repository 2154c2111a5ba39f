// SPDX-License-Identifier: Apache-2.0
//
// CatchUps: gives a target that was added with `start: horizon` or a time what the journal holds
// from before. It reads the journal in pieces, asks the forwarder, who has the rules, which events
// are for the target, and owes it those once more, as redrives do. What is routed to the target
// meanwhile waits, so that all of it comes in order.

#pragma once

#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/link.h"
#include "bus/sidecar/started_targets.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/log/log.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace conga::bus {

/// What `sidecar.status` shows of a catch-up.
struct CatchUpState {
  TargetName target;
  std::uint64_t left = 0;     ///< Events of the journal still to be looked at, at most.
  std::uint64_t owed = 0;     ///< By this catch-up, in this run of the sidecar.
  std::uint64_t waiting = 0;  ///< Newer events, which come after those.
};

class CatchUps {
public:
  /// All references must outlive it, here and below.
  /// `piece_size`: bytes of events that the forwarder is asked about at a time.
  CatchUps(std::size_t piece_size, DeliveryEngine& engine, Log& log)
      : piece_size_(piece_size), engine_(engine), log_(log) {}

  /// Before the journal's deliveries. Without a book every target begins with the next event.
  void set_book(std::unique_ptr<StartedTargets> book);

  /// From the journal, in sequence order. False: it does not have to wait.
  bool recover(const Time& now, const PendingDelivery& delivery);

  /// When it has recovered.
  void set_store(const Time& now, EventStore& store);

  /// Gives the engine its table too, for targets that have left it lose what waits here as well.
  void set_table(const Time& now, const LinkTable& table);

  /// False: for one of these targets it is not recorded yet that it begins in the past, for the
  /// disk is full. Were it owed anything now, a restart would not know what has to wait.
  bool may_owe(std::span<const TargetName> targets) const;

  /// A new delivery, ingested now: to the engine, or it waits here.
  void accept(const Time& now, TargetId target, const EventRef& event);

  /// The forwarder's answer. An error is the journal's, and fatal.
  Result<> on_matched(const Time& now, const LinkMatched& matched);

  /// A bounded piece of work, after everything appended was synced. Appends to `ask` what the
  /// forwarder is to be asked, if anything.
  Result<> step(const Time& now, std::string& ask);

  /// Whether step() has something to do, now or later.
  bool busy() const { return !running_.empty() || unsaved_; }

  /// At its time a turn has something to do, frames or not.
  std::optional<SteadyTime> wake_at() const;

  std::vector<CatchUpState> states() const;

private:
  /// A newer event, which comes after the late ones.
  struct Waiting {
    EventRef event;
    WallTime ingested;
  };

  struct Running {
    Start start;
    std::optional<std::uint32_t> position;  ///< In the table.
    Sequence looked = 0;                    ///< At the events up to this one.
    std::uint64_t owed = 0;
    bool done = false;  ///< There is nothing more to look at.
    std::deque<Waiting> waiting;
  };

  using RunningByTarget = std::map<TargetName, Running>;

  /// The journal hands over in sequence order; what waited has lower numbers than the late ones.
  struct Recovered {
    Start start;
    std::deque<Waiting> waiting;
  };

  /// A piece of the journal.
  struct Piece {
    TargetName target;
    std::vector<std::string> events;  ///< That may be for the target.
    std::string next;                 ///< The cursor behind it.
    Sequence looked = 0;
    bool last = false;
  };

  /// A piece that is with the forwarder, or of which not everything could be appended yet.
  struct Asked {
    Piece piece;
    std::uint64_t ticket = 0;
    SteadyTime again;  ///< Ask again, or try again to append.
    std::optional<std::vector<std::uint32_t>> matched;
    std::size_t placed = 0;  ///< Of `matched`: appended.
  };

  void begin(const Time& now, const LinkTarget& target, StartsByTarget& starts);
  void leave(const Time& now, const TargetName& name);
  Result<Piece> read_piece(const TargetName& name, const Running& running);
  void ask(const Time& now, std::string& body);
  Result<> place(const Time& now);
  void move_on(const Piece& piece);
  void finish(const Time& now, RunningByTarget::iterator running);
  void release(const Time& now, const TargetName& name, const std::deque<Waiting>& waiting);
  bool save(const Time& now);
  void keep_journal();
  RunningByTarget::iterator next_running();

  const std::size_t piece_size_;
  EventStore* store_ = nullptr;
  DeliveryEngine& engine_;
  Log& log_;
  std::unique_ptr<StartedTargets> book_;
  StartsByTarget starts_;  ///< As they are to be in the book; cursors are in `running_`.
  RunningByTarget running_;
  std::map<TargetName, Recovered> recovered_;  ///< During recovery: of targets that have caught up.
  std::optional<Asked> asked_;
  std::set<TargetName> unrecorded_;  ///< That begin in the past, and the book does not say so yet.
  TargetName turn_;                  ///< Whose the last piece was.
  std::uint64_t boot_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t ticket_ = 0;
  bool unsaved_ = false;
  SteadyTime save_at_;
};

}  // namespace conga::bus
