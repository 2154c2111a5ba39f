// SPDX-License-Identifier: Apache-2.0

#include "common/client/publisher.h"

#include "common/core/check.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <list>
#include <tsl/robin_map.h>
#include <utility>

namespace conga {

/// All events of one level wait equally long, so each level is in the order of its due times and
/// every step is O(1): no heap, and no stale timers behind the events that have left.
struct Publisher::State {
  struct Entry {
    Uuid id;
    std::string event;
    std::size_t level = 0;  ///< Of its latest transmission; kUnsent before the first.
    SteadyTime due;
  };

  using Entries = std::list<Entry>;

  static constexpr std::size_t kUnsent = ~std::size_t{0};

  std::string topic;
  PublisherOptions options;
  std::vector<Duration> intervals;  ///< How long level n waits for its answer.
  Entries unsent;
  std::vector<Entries> waiting;  ///< By level.
  std::size_t unsent_bytes = 0;
  tsl::robin_map<Uuid, Entries::iterator> index;
  std::vector<PutResult> results;
  std::uint64_t retransmissions = 0;
  bool online = false;

  Entries& list_of(const Entry& entry) {
    return entry.level == kUnsent ? unsent : waiting[entry.level];
  }

  using Place = decltype(index)::iterator;

  void remove(Place place) {
    const Entries::iterator entry = place->second;
    index.erase(place);
    if (entry->level == kUnsent) unsent_bytes -= entry->event.size();
    list_of(*entry).erase(entry);
  }

  /// Notes that `entry` goes out now, for the first time or again.
  void mark_sent(const Time& now, Entries::iterator entry) {
    Entries& from = list_of(*entry);
    const bool first = entry->level == kUnsent;
    if (first) unsent_bytes -= entry->event.size();
    if (!first) ++retransmissions;
    entry->level = first ? 0 : std::min(entry->level + 1, intervals.size() - 1);
    entry->due = now.steady + intervals[entry->level];
    Entries& into = waiting[entry->level];
    into.splice(into.end(), from, entry);
  }

  void put(const Time& now, Entries::iterator entry, std::vector<Frame>& out, bool& open) {
    const std::size_t size = entry->event.size();
    if (!open || out.back().body.size() + size > options.batch_bytes) {
      out.push_back({.channel = Channel::Bus, .topic = topic, .body = {}});
      out.back().body.reserve(std::max(size, std::min(options.batch_bytes, unsent_bytes)));
      open = true;
    }
    out.back().body += entry->event;
    mark_sent(now, entry);
  }
};

namespace {

std::vector<Duration> doubling(Duration initial, Duration max) {
  std::vector<Duration> intervals{initial};
  while (intervals.back() < max) intervals.push_back(std::min(max, intervals.back() * 2));
  return intervals;
}

}  // namespace

Publisher::Publisher(const std::string& client, PublisherOptions options)
    : state_(std::make_unique<State>()) {
  CONGA_CHECK(is_valid_name(client), "a client's name is checked before a Publisher gets it");
  CONGA_CHECK(options.window > 0 && options.retransmit_initial > Duration(0),
              "a publisher's options are checked where they are read");
  state_->topic = put_topic(client);
  state_->intervals = doubling(options.retransmit_initial, options.retransmit_max);
  state_->waiting.resize(state_->intervals.size());
  state_->options = options;
}

Publisher::~Publisher() = default;

bool Publisher::has_room() const {
  return state_->index.size() < state_->options.window;
}

void Publisher::offer(const Uuid& id, std::string event) {
  const auto [place, is_new] = state_->index.try_emplace(id);
  if (!is_new) return;
  CONGA_CHECK(in_window() <= state_->options.window, "the caller asks has_room() first");
  state_->unsent_bytes += event.size();
  auto& unsent = state_->unsent;
  unsent.push_back({.id = id, .event = std::move(event), .level = State::kUnsent, .due = {}});
  place.value() = std::prev(unsent.end());
}

void Publisher::set_online(bool online) {
  state_->online = online;
}

void Publisher::on_put_results(const Time& /*now*/, std::string_view body) {
  while (!body.empty()) {
    auto result = take_put_result(body);
    const auto id = result ? Uuid::parse(result->event_id) : std::nullopt;
    const auto found = id ? state_->index.find(*id) : state_->index.end();
    // A retryable refusal changes nothing: the event is put again when it is due, with back-off.
    if (found == state_->index.end() || result->retryable()) continue;
    state_->remove(found);
    state_->results.push_back(std::move(*result));
  }
}

void Publisher::collect(const Time& now, std::vector<Frame>& out) {
  if (!state_->online) return;
  bool open = false;
  // Longest-waiting first, and each level from the top down, so that none is visited twice.
  for (std::size_t level = state_->waiting.size(); level > 0; --level) {
    auto& entries = state_->waiting[level - 1];
    while (!entries.empty() && entries.front().due <= now.steady) {
      state_->put(now, entries.begin(), out, open);
    }
  }
  while (!state_->unsent.empty()) state_->put(now, state_->unsent.begin(), out, open);
}

std::optional<SteadyTime> Publisher::wake_at() const {
  if (!state_->online) return std::nullopt;
  if (!state_->unsent.empty()) return SteadyTime{};
  std::optional<SteadyTime> earliest;
  for (const auto& entries : state_->waiting) {
    if (entries.empty()) continue;
    const SteadyTime due = entries.front().due;
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::vector<PutResult> Publisher::take_results() {
  return std::exchange(state_->results, {});
}

std::size_t Publisher::in_window() const {
  return state_->index.size();
}

std::uint64_t Publisher::retransmissions() const {
  return state_->retransmissions;
}

}  // namespace conga
