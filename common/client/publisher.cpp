// SPDX-License-Identifier: Apache-2.0

#include "common/client/publisher.h"

#include "common/core/check.h"
#include "common/core/keyed_lists.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga {

/// All events of one level wait equally long, so each level is in the order of its due times and
/// every step is O(1): no heap, and no stale timers behind the events that have left.
struct Publisher::State {
  struct Offered {
    std::string event;
    SteadyTime due;  ///< Once it was sent.
  };

  using Window = KeyedLists<Uuid, Offered>;

  /// The lists of the window: events not sent yet, and behind it one for each level, by their
  /// latest transmission.
  static constexpr std::size_t kUnsent = 0;
  static constexpr std::size_t kFirstLevel = 1;

  std::string topic;
  PublisherOptions options;
  std::vector<Duration> intervals;  ///< How long level n waits for its answer.
  Window window;
  std::size_t unsent_bytes = 0;
  std::vector<PutResult> results;
  std::uint64_t retransmissions = 0;
  bool online = false;

  std::size_t last_level() const { return kFirstLevel + intervals.size() - 1; }

  void remove(Window::Entry entry) {
    if (window.list_of(entry) == kUnsent) unsent_bytes -= window[entry].event.size();
    window.take(entry);
  }

  /// Notes that `entry` goes out now, for the first time or again.
  void mark_sent(const Time& now, Window::Entry entry) {
    const std::size_t from = window.list_of(entry);
    if (from == kUnsent) {
      unsent_bytes -= window[entry].event.size();
    } else {
      ++retransmissions;
    }
    const std::size_t level = std::min(from + 1, last_level());
    window[entry].due = now.steady + intervals[level - kFirstLevel];
    window.move(entry, level);
  }

  void put(const Time& now, Window::Entry entry, std::vector<Frame>& out, bool& open) {
    const std::string& event = window[entry].event;
    if (!open || out.back().body.size() + event.size() > options.batch_bytes) {
      out.push_back({.channel = Channel::Bus, .topic = topic, .body = {}});
      out.back().body.reserve(std::max(event.size(), std::min(options.batch_bytes, unsent_bytes)));
      open = true;
    }
    out.back().body += event;
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
  state_->options = options;
}

Publisher::~Publisher() = default;

bool Publisher::has_room() const {
  return state_->window.size() < state_->options.window;
}

void Publisher::offer(const Uuid& id, std::string event) {
  const std::size_t size = event.size();
  const auto entry = state_->window.add(id, State::kUnsent, {.event = std::move(event), .due = {}});
  if (!entry) return;
  CONGA_CHECK(in_window() <= state_->options.window, "the caller asks has_room() first");
  state_->unsent_bytes += size;
}

void Publisher::set_online(bool online) {
  state_->online = online;
}

void Publisher::on_put_results(const Time& /*now*/, std::string_view body) {
  while (!body.empty()) {
    auto result = take_put_result(body);
    const auto id = result ? Uuid::parse(result->event_id) : std::nullopt;
    const auto found = id ? state_->window.find(*id) : std::nullopt;
    // A retryable refusal changes nothing: the event is put again when it is due, with back-off.
    if (!found || result->retryable()) continue;
    state_->remove(*found);
    state_->results.push_back(std::move(*result));
  }
}

void Publisher::collect(const Time& now, std::vector<Frame>& out) {
  if (!state_->online) return;
  bool open = false;
  State::Window& window = state_->window;
  // Longest-waiting first, and each level from the top down, so that none is visited twice.
  for (std::size_t level = state_->last_level(); level >= State::kFirstLevel; --level) {
    while (const auto entry = window.front(level)) {
      if (window[*entry].due > now.steady) break;
      state_->put(now, *entry, out, open);
    }
  }
  while (const auto entry = window.front(State::kUnsent)) state_->put(now, *entry, out, open);
}

std::optional<SteadyTime> Publisher::wake_at() const {
  if (!state_->online) return std::nullopt;
  const State::Window& window = state_->window;
  if (window.size(State::kUnsent) > 0) return SteadyTime{};
  std::optional<SteadyTime> earliest;
  for (std::size_t level = State::kFirstLevel; level <= state_->last_level(); ++level) {
    const auto entry = window.front(level);
    if (!entry) continue;
    const SteadyTime due = window[*entry].due;
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::vector<PutResult> Publisher::take_results() {
  return std::exchange(state_->results, {});
}

std::size_t Publisher::in_window() const {
  return state_->window.size();
}

std::uint64_t Publisher::retransmissions() const {
  return state_->retransmissions;
}

}  // namespace conga
