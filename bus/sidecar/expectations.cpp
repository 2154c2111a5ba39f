// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/expectations.h"

#include "bus/sidecar/ordering.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::size_t kToldPerTurn = 100;

constexpr std::string_view kMissed = "ExpectationMissed";
constexpr std::string_view kRemoved = "ExpectationRemoved";

/// The publisher's time, if the event has one.
std::optional<WallTime> made_at(std::string_view event) {
  const auto time = Value::trusted(event).find("time");
  const auto text = time ? time->string() : std::nullopt;
  const auto made = text ? parse_rfc3339(*text) : Result<WallTime>(fail(Fault::Permanent, ""));
  if (!made) return std::nullopt;
  return *made;
}

/// The event that says that another stayed away. Its id is always the same, so that it is on the
/// bus once, however often it is put.
Event news_of(const OpenExpectation& missed,
              const LinkExpectation& expectation,
              const EventView& after) {
  Event event;
  event.id = Uuid::v5(after.id, std::string(kMissed) + "/" + missed.name);
  event.source = std::string(kOwnSourcePrefix) + "expectations";
  event.detail_type = kMissed;
  event.time = missed.due;
  event.correlation_id = after.correlation_id;
  event.causation_id = after.id;
  event.hops = after.hops;
  Packer packer(event.detail);
  packer.map(8).key("expectation").string(missed.name);
  packer.key("within").string(format_duration(expectation.within));
  packer.key("by").string(expectation.by).key("after-id").string(after.id.text());
  packer.key("after-source").string(after.source);
  packer.key("after-detail-type").string(after.detail_type);
  packer.key("begun").string(format_rfc3339(missed.begun));
  packer.key("due").string(format_rfc3339(missed.due));
  return event;
}

}  // namespace

void Expectations::set_table(std::vector<LinkExpectation> expectations) {
  for (OpenExpectation& open : watch_.set_table(std::move(expectations))) {
    ended_.push_back({.open = std::move(open), .code = std::string(kRemoved)});
  }
  resume();
}

/// What an earlier run of the sidecar left open.
void Expectations::resume() {
  for (const PendingDelivery& pending : std::exchange(recovered_, {})) {
    const std::string& name = pending.target.rule;
    const auto& table = watch_.table();
    const auto found = std::ranges::find(table, name, &LinkExpectation::name);
    if (found == table.end()) {
      const OpenExpectation open{.name = name,
                                 .event = pending.event,
                                 .key = kNoKey,
                                 .begun = pending.ingested,
                                 .due = {}};
      ended_.push_back({.open = open, .code = std::string(kRemoved)});
      continue;
    }
    const auto bytes = bodies_.read(pending.event);
    const auto position = static_cast<std::size_t>(found - table.begin());
    const OrderingKey key = bytes ? key_of(position, *bytes) : kNoKey;
    watch_.recover(name, pending.event, key, pending.ingested);
  }
}

std::optional<Expectations::Mark> Expectations::mark_at(std::size_t index) const {
  const std::size_t position = index / 2;
  if (position >= watch_.table().size()) return std::nullopt;
  return Mark{.position = position, .begins = index % 2 == 0};
}

OrderingKey Expectations::key_of(std::size_t position, std::string_view event) const {
  return ordering_key(Value::trusted(event), watch_.table()[position].by);
}

void Expectations::name_begun(std::span<const Mark> marks,
                              std::string_view event,
                              std::vector<TargetName>& names) {
  begun_.clear();
  for (const Mark& mark : marks) {
    if (!mark.begins || !watch_.has_room_for(mark.position, key_of(mark.position, event))) continue;
    begun_.push_back(mark);
    names.push_back({watch_.table()[mark.position].name, std::string(kExpectationTarget)});
  }
}

/// An event that is put again meets once more what it met: the journal may have lost that word in a
/// crash and kept the event.
void Expectations::take(const Time& now,
                        std::span<const Mark> marks,
                        std::string_view event,
                        const std::optional<EventRef>& ref) {
  if (marks.empty()) return;
  const WallTime made = made_at(event).value_or(now.wall);
  for (const Mark& mark : marks) {
    if (mark.begins) continue;
    const OrderingKey key = key_of(mark.position, event);
    if (key == kNoKey) continue;
    for (OpenExpectation& open : watch_.meet(mark.position, key, made, now.wall)) {
      ended_.push_back({.open = std::move(open), .code = {}});
    }
  }
  if (!ref) return;
  for (const Mark& mark : begun_) {
    auto met = watch_.begin(mark.position, *ref, key_of(mark.position, event), made, now.wall);
    if (met) ended_.push_back({.open = std::move(*met), .code = {}});
  }
}

void Expectations::step(const Time& now) {
  if (!recovered_.empty()) return;
  for (std::size_t told = 0; told < kToldPerTurn && events_.has_room(); ++told) {
    const auto missed = watch_.take_missed(now.wall, 1);
    if (missed.empty()) return;
    tell(missed.front());
  }
}

void Expectations::tell(const OpenExpectation& missed) {
  const auto end = [this, missed]() -> Result<> {
    ended_.push_back({.open = missed, .code = std::string(kMissed)});
    return {};
  };
  const auto& table = watch_.table();
  const auto expectation = std::ranges::find(table, missed.name, &LinkExpectation::name);
  const auto bytes = bodies_.read(missed.event);
  const auto after = bytes ? read_event(*bytes) : Result<EventView>(bytes.failure());
  // Of an event that is damaged on disk there is nothing to tell.
  if (!after || expectation == table.end()) return static_cast<void>(end());
  events_.offer(news_of(missed, *expectation, *after), end);
}

Result<> Expectations::record(const Time& now, EventStore& store) {
  for (const Ended& ended : ended_) {
    const auto recorded =
        store.append(SettledRecord{.sequence = ended.open.event.sequence,
                                   .target = {ended.open.name, std::string(kExpectationTarget)},
                                   .ending = Ending::Settled,
                                   .attempts = 0,
                                   .instance = {},
                                   .first_attempt = ended.open.begun,
                                   .last_attempt = ended.open.begun,
                                   .at = now.wall,
                                   .code = ended.code});
    if (!recorded) return recorded;
  }
  ended_.clear();
  return {};
}

std::optional<SteadyTime> Expectations::wake_at(const Time& now) const {
  const auto due = watch_.next_due();
  if (!due || !recovered_.empty()) return std::nullopt;
  return now.steady + std::max(*due - now.wall, Duration(0));
}

}  // namespace conga::bus
