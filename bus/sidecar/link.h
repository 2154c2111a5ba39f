// SPDX-License-Identifier: Apache-2.0
//
// Link: what forwarder and sidecar say to each other, in frames of the same shape as everyone's.
// docs/protocol.md, "The link", gives it to the byte.
//
// Everything else on the link keeps its public topic: from the forwarder `ready/…`, `settle/…` and
// `ask/…` as clients sent them, from the sidecar `put-result/…`, `deliver/…` and `answer/…`, which
// the forwarder publishes untouched, and `put/conga.sidecar` with events of its own.

#pragma once

#include "bus/sidecar/archive_log.h"
#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

inline constexpr std::string_view kAliveTopic = "link/alive";
inline constexpr std::string_view kTableTopic = "link/table";
inline constexpr std::string_view kRoutedTopic = "link/routed";
inline constexpr std::string_view kMatchTopic = "link/match";
inline constexpr std::string_view kMatchedTopic = "link/matched";
/// What the sidecar is called as a client: its own events go to the forwarder as `put/NAME`, over
/// the link, and no other client may have that name.
inline constexpr std::string_view kSidecarClient = "conga.sidecar";
inline constexpr std::string_view kSidecarPutTopic = "put/conga.sidecar";
inline constexpr std::string_view kSidecarResultTopic = "put-result/conga.sidecar";

/// Sources that begin so are conga's own, as `aws.` is Amazon EventBridge's: the forwarder refuses
/// them from clients.
inline constexpr std::string_view kOwnSourcePrefix = "conga.";

inline constexpr std::string_view kGonePrefix = "link/gone/";  ///< + SERVICE/INSTANCE

/// How often a delivery is tried, and for how long. Ranges and defaults are EventBridge's where it
/// has them: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
struct RetryPolicy {
  enum class Jitter : std::uint8_t { None, Full };

  std::uint32_t max_attempts = 185;           ///< Retries after the first attempt, 0-185.
  Duration max_age = std::chrono::hours(24);  ///< 60 s to 24 h, from ingestion.
  Duration backoff_initial = std::chrono::seconds(1);
  double backoff_factor = 2.0;  ///< 1 to 10.
  Duration backoff_max = std::chrono::minutes(5);
  Jitter jitter = Jitter::Full;
  Duration ack_timeout = std::chrono::seconds(30);  ///< 100 ms to 1 h.

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// How much of a target's work goes out at a time; 0 everywhere: as much as instances take.
struct DeliveryLimits {
  std::uint32_t max_in_flight = 0;  ///< Deliveries sent and not settled, over all instances.
  std::uint32_t rate = 0;           ///< Deliveries sent in a second, retries too.
  std::uint32_t batch = 0;          ///< Deliveries in one message.

  friend bool operator==(const DeliveryLimits&, const DeliveryLimits&) = default;
};

/// `start: horizon`: earlier than anything that a journal holds.
inline constexpr WallTime kHorizon{};

/// A durable target as the sidecar needs to know it.
struct LinkTarget {
  std::string rule;
  std::string target;  ///< Its name; by default the service's.
  std::string service;
  RetryPolicy retry;
  std::string ordering;  ///< A JSON pointer into the event; empty: no order asked for.
  DeliveryLimits limits = {};

  /// Of the journal's events those ingested since then are its too, once, when it is new to the
  /// sidecar; nothing: none (`start: latest`). kHorizon: all of them.
  std::optional<WallTime> start = std::nullopt;

  friend bool operator==(const LinkTarget&, const LinkTarget&) = default;
};

/// `after A expect B within T by KEY`, as the sidecar needs to know it; which events A and B are
/// the forwarder tells with each.
struct LinkExpectation {
  std::string name;
  std::string by;  ///< A JSON pointer into both events: equal values belong together.
  Duration within{0};

  friend bool operator==(const LinkExpectation&, const LinkExpectation&) = default;
};

/// An archive as the sidecar needs to know it; which events are for it the forwarder tells with
/// each.
struct LinkArchive {
  std::string name;
  ArchiveRetention retention = {};

  friend bool operator==(const LinkArchive&, const LinkArchive&) = default;
};

/// `link/table`, forwarder to sidecar: [boot, generation, [target…], [expectation…], [archive…]];
/// the last two may be left out if they are empty.
struct LinkTable {
  std::uint64_t boot = 0;        ///< Of the forwarder; random, never 0.
  std::uint64_t generation = 0;  ///< From 1, one more with each reload.
  std::vector<LinkTarget> targets;
  std::vector<LinkExpectation> expectations = {};
  std::vector<LinkArchive> archives = {};
};

/// `link/alive`, sidecar to forwarder: [boot, forwarder boot, generation, accepted].
struct LinkAlive {
  std::uint64_t boot = 0;            ///< Of the sidecar; random, never 0.
  std::uint64_t forwarder_boot = 0;  ///< Last seen in a table; 0: none yet.
  std::uint64_t generation = 0;      ///< Of the table it works with.
  std::uint64_t accepted = 0;        ///< Highest `link/routed` sequence of that boot it handled.
};

struct RoutedEvent {
  std::string_view event;
  std::string_view id_text = {};  ///< In `event`.
  Uuid id = {};
  bool loop = false;               ///< Over the hop limit: dead-letter it, do not deliver it.
  std::uint32_t first_target = 0;  ///< In LinkRouted::targets; so many of them are its.
  std::uint32_t target_count = 0;
};

/// `link/routed`, forwarder to sidecar: events and whom each is for. The views are into the body.
struct LinkRouted {
  std::uint64_t boot = 0;
  std::uint64_t generation = 0;
  std::uint64_t sequence = 0;  ///< From 1, one more with each of this boot.
  std::string_view client;     ///< Whom to send the put-results.
  std::vector<RoutedEvent> events = {};

  /// Of all events, one after the other: positions in the table. Those from the number of targets
  /// on are of expectations: + 2n, it begins the expectation n; + 2n + 1, it is what n expects;
  /// those behind are of archives: + n, it is for the archive n.
  std::vector<std::uint32_t> targets = {};

  /// `event` without its targets, which are `of_it`.
  void add(RoutedEvent event, std::span<const std::uint32_t> of_it);

  std::span<const std::uint32_t> targets_of(const RoutedEvent& event) const {
    return std::span(targets).subspan(event.first_target, event.target_count);
  }

  void clear();
};

/// `link/match`, sidecar to forwarder: [boot, generation, ticket, target, [event…]]: which of these
/// events of the journal are for the target at that position of the table?
struct LinkMatch {
  std::uint64_t boot = 0;        ///< Of the forwarder whose table it is; so the next.
  std::uint64_t generation = 0;  ///< Another one's is not answered.
  std::uint64_t ticket = 0;      ///< Comes back with the answer.
  std::uint32_t target = 0;
  std::vector<std::string_view> events;
};

/// `link/matched`, forwarder to sidecar: [boot, generation, ticket, [index…]].
struct LinkMatched {
  std::uint64_t boot = 0;
  std::uint64_t generation = 0;
  std::uint64_t ticket = 0;
  std::vector<std::uint32_t> indexes;  ///< Of those in LinkMatch::events, ascending.
};

std::string encode(const LinkTable& table);
std::string encode(const LinkAlive& alive);

/// The body with a copy of the events.
std::string encode(const LinkRouted& routed);

/// As encode(), but the events lie in `events` already, perhaps with others that are not routed.
/// They are not copied if it has room for what comes behind them.
std::string encode_behind(std::string events, const LinkRouted& routed);

std::string encode(const LinkMatch& match);
std::string encode(const LinkMatched& matched);

Result<LinkTable> read_table(std::string_view body);
Result<LinkAlive> read_alive(std::string_view body);

/// Trusts the forwarder that the events are well-formed and within the limits, and their ids.
Result<LinkRouted> read_routed(std::string_view body);

/// `limits` are an event's.
Result<LinkMatch> read_match(std::string_view body, const ValueLimits& limits = {});
Result<LinkMatched> read_matched(std::string_view body);

}  // namespace conga::bus
