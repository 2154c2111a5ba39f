// SPDX-License-Identifier: Apache-2.0
//
// OpenDeliveries: which deliveries of the journal have no last word yet, so that it knows which
// segments it may drop. Eight bytes an event, in segments with an open delivery only.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/io/log_format.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace conga::bus {

class OpenDeliveries {
public:
  /// A list of targets that events share.
  using SetId = std::uint32_t;
  using NameId = std::uint32_t;

  struct TargetSet {
    std::string encoded;  ///< As journal records hold it.
    std::vector<TargetName> names;
    std::vector<NameId> ids;  ///< The same name has the same id in every set.
  };

  struct OpenTarget {
    TargetName name;
    NameId id = 0;
  };

  SetId intern(std::string_view encoded, const std::vector<TargetName>& names);
  std::optional<SetId> find_set(std::string_view encoded) const;

  const TargetSet& set(SetId id) const { return sets_[id]; }

  /// A new event; sequences must ascend. All of its targets are open.
  void add(Sequence sequence, LogPosition position, SetId set);

  /// The event is at `position` from now on, with the targets of `set` open and no others.
  /// `history`: the oldest segment that may hold retry records of it, unless it is known already.
  void carry(Sequence sequence, LogPosition position, SetId set, std::uint32_t history);

  /// False if the delivery is not known to be open.
  bool settle(Sequence sequence, const TargetName& target);

  /// Its name's id if the delivery is open.
  std::optional<NameId> open_id(Sequence sequence, const TargetName& target) const;

  /// Those of one event.
  std::vector<OpenTarget> open_targets(Sequence sequence) const;

  /// Where the event is if that is not where it was appended.
  std::optional<LogPosition> moved_to(Sequence sequence) const;

  /// Open deliveries in a segment, and events that were added there.
  std::uint64_t open_in(std::uint32_t segment) const;
  std::uint64_t events_in(std::uint32_t segment) const;

  /// Carried events, by sequence, with their positions; those with very many targets too.
  std::vector<std::pair<Sequence, LogPosition>> loose() const;

  bool any_loose() const { return !loose_.empty(); }

  /// No record below this segment concerns an open delivery. `newest`: if there is none.
  std::uint32_t low_water(std::uint32_t newest);

  /// The same, for who may not change anything and asks seldom.
  std::uint32_t lowest_open(std::uint32_t newest) const;

  void drop_below(std::uint32_t segment);

private:
  /// An event where it was appended. Bit n of `open`: the set's target n.
  struct Entry {
    SetId set = 0;
    std::uint32_t open = 0;
  };

  struct Segment {
    std::uint32_t number = 0;
    Sequence first = 0;
    std::uint64_t count = 0;
    std::uint64_t open = 0;  ///< Deliveries, those of carried events included.
    std::vector<Entry> entries;
  };

  /// An event that Segment cannot describe.
  struct Loose {
    LogPosition position;
    SetId set = 0;
    std::uint32_t history = 0;
    std::vector<bool> open;
  };

  Segment& segment_at(std::uint32_t number);
  Segment* find_segment(std::uint32_t number);
  const Segment* find_segment(std::uint32_t number) const;
  Entry* find_entry(Sequence sequence);
  const Entry* find_entry(Sequence sequence) const;
  const Segment* segment_of(Sequence sequence) const;
  void close(Segment& segment, std::uint64_t deliveries);
  void forget(Sequence sequence);
  std::optional<std::size_t> index_in(SetId set, const TargetName& target) const;

  std::deque<Segment> segments_;
  Sequence next_ = 1;
  std::map<Sequence, Loose> loose_;
  std::vector<TargetSet> sets_;
  std::unordered_map<std::string, SetId> set_ids_;
  std::map<TargetName, NameId> name_ids_;
};

}  // namespace conga::bus
