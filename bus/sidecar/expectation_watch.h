// SPDX-License-Identifier: Apache-2.0
//
// ExpectationWatch: knows which events are expected because others have come (`after
// PaymentConfirmed expect TicketIssued within 30s by booking-id`), and finds those that stay away.
// What is open is owed in the journal as the delivery to a target of its own, kExpectationTarget,
// so it survives a restart like every delivery. Decides only; whoever owns it journals and
// announces.

#pragma once

#include "bus/sidecar/event_store.h"
#include "bus/sidecar/link.h"
#include "bus/sidecar/pseudo_targets.h"
#include "bus/sidecar/target_queue.h"
#include "common/core/clock.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::bus {

/// What an expectation waits for since an event came.
struct OpenExpectation {
  std::string name;
  EventRef event;  ///< The one that it is after.
  OrderingKey key = kNoKey;
  WallTime begun;
  WallTime due;
};

struct ExpectationState {
  std::string name;
  std::uint64_t open = 0;
  std::uint64_t met = 0;  ///< In this run of the sidecar; so the next.
  std::uint64_t missed = 0;
  std::uint64_t passed_over = 0;  ///< Events without a key, or beyond the limit: not watched.
};

class ExpectationWatch {
public:
  /// At most `most` are open at a time.
  explicit ExpectationWatch(std::size_t most) : most_(most) {}

  /// The expectations of the rules that are at work now. What is open of others is returned: it has
  /// ended without a result.
  std::vector<OpenExpectation> set_table(std::vector<LinkExpectation> expectations);

  const std::vector<LinkExpectation>& table() const { return table_; }

  /// Whether begin() would take on one more; counts it as passed over if not.
  bool has_room_for(std::size_t position, OrderingKey key);

  /// The event that expectation `position` of the table is after has come; it was made at `made`.
  /// If what is expected has come already, although it was made later (events may overtake each
  /// other on their way), the expectation is met: it is returned.
  std::optional<OpenExpectation> begin(
      std::size_t position, const EventRef& event, OrderingKey key, WallTime made, WallTime now);

  /// From the journal; its expectation is in the table. `key` as it was.
  void recover(std::string name, const EventRef& event, OrderingKey key, WallTime begun);

  /// The expected event has come; it was made at `made`. What it ends, oldest first; what was due
  /// before is not met any more.
  std::vector<OpenExpectation> meet(std::size_t position,
                                    OrderingKey key,
                                    WallTime made,
                                    WallTime now);

  /// What was due by now, at most `most`, oldest first. It is closed.
  std::vector<OpenExpectation> take_missed(WallTime now, std::size_t most);

  /// When the next one is due.
  std::optional<WallTime> next_due() const;

  std::vector<ExpectationState> states() const;

private:
  /// Due time, sequence, name: unique, for an event begins an expectation once.
  using Place = std::pair<WallTime, std::pair<Sequence, std::string>>;
  using Lane = std::pair<std::string, OrderingKey>;

  /// An expected event that has come, for what it may have overtaken.
  struct Early {
    WallTime made;
    WallTime come;
  };

  void add(OpenExpectation open);
  void remember(const LinkExpectation& expectation, OrderingKey key, WallTime made, WallTime now);
  OpenExpectation remove(std::map<Place, OpenExpectation>::iterator at);
  Duration within_of(std::string_view name) const;

  std::size_t most_;
  std::vector<LinkExpectation> table_;
  std::map<Place, OpenExpectation> open_;  ///< By due time.
  std::map<Lane, std::set<Place>> lanes_;
  std::map<Lane, Early> early_;  ///< The latest made of each lane; for as long as it is waited for.
  std::deque<std::pair<WallTime, Lane>> early_order_;  ///< When to forget, in order of coming.
  std::map<std::string, ExpectationState, std::less<>> states_;
};

}  // namespace conga::bus
