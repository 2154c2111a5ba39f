// SPDX-License-Identifier: Apache-2.0
//
// Forwarder: the Node of conga-bus. It judges what clients send, matches events against the rules,
// and passes them on: to the sidecar with their durable targets, to topics at once. It keeps no
// state that a restart would lose; docs/protocol.md says what every frame means.

#pragma once

#include "bus/audience.h"
#include "bus/client_names.h"
#include "bus/link_gate.h"
#include "bus/rules/rule_set.h"
#include "bus/rules_keeper.h"
#include "common/log/log.h"
#include "common/metrics/metrics.h"
#include "common/runtime/node.h"
#include "common/runtime/transport.h"
#include "common/wire/event/event.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

struct ForwarderOptions {
  std::string name = "main";
  std::uint64_t boot = 1;  ///< Random, never 0: tells one run from the next.
  ValueLimits event;       ///< What an event may be at most.
  std::uint32_t max_hops = 64;
  LinkOptions link;
  Duration name_silence = std::chrono::seconds(3);  ///< See ClientNames.
  std::function<TransportStats()> transport = {};   ///< For status and metrics; may be empty.
};

/// What `bus.status` counts. Events are counted each time they are put.
struct ForwarderCounters {
  std::uint64_t accepted = 0;     ///< Handed to the sidecar, or republished and answered.
  std::uint64_t refused = 0;      ///< For good: malformed, too large, no source.
  std::uint64_t unavailable = 0;  ///< To be put again: the link was down or full.
  std::uint64_t unmatched = 0;    ///< Of the accepted: archived only; but for the bus's own.
  std::uint64_t topic_only = 0;   ///< Of the accepted: no durable target.
  std::uint64_t loops = 0;        ///< Of the accepted: over the hop limit.
  std::uint64_t tapped = 0;       ///< Frames' worth of events for taps.
  std::uint64_t published = 0;    ///< Events sent to a topic that somebody heard.
  std::uint64_t unheard = 0;      ///< Events for a topic without a subscriber: dropped.
  std::uint64_t malformed = 0;    ///< Frames that nobody could be answered for.
  std::uint64_t unannounced = 0;  ///< `ready` of instances that do not subscribe.
  std::uint64_t unreachable = 0;  ///< Deliveries' frames given back: the instance is not there.
  std::uint64_t asks = 0;
  std::uint64_t relayed = 0;           ///< Frames passed on from the sidecar.
  std::uint64_t matched = 0;           ///< Events that matched a rule, each time they were put.
  std::uint64_t unmatched_events = 0;  ///< Events that matched none; but for the bus's own.
  std::uint64_t puts = 0;              ///< Frames of events.
  SizeCounts put_sizes;                ///< Of the events in them.
};

class Forwarder final : public Node {
public:
  /// `keeper` is asked at each reload and change, not by the constructor. Events are routed by the
  /// old rules until what it returns is ready, then by the new ones: none by half of each.
  Forwarder(ForwarderOptions options, RuleSet rules, std::unique_ptr<RulesKeeper> keeper, Log& log);

  void on_frame(const Time& now, Frame& frame) override;
  void on_presence(const Time& now, const Presence& presence) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  bool accepts(Channel channel) const override;
  void measure(const Time& now, MetricsPage& page) const override;
  void reload(const Time& now) override;
  void drain(const Time& now) override;
  bool drained() const override;

  const ForwarderCounters& counters() const { return counters_; }

  /// `bus.status` as one msgpack map.
  std::string status(const Time& now) const;

  /// `rules.list` as one msgpack map.
  std::string list_rules() const;

private:
  using Bodies = std::map<std::string, std::string, std::less<>>;

  std::string& gather(Bodies& bodies, std::string_view topic);
  void send_gathered();
  void on_client_frame(const Time& now, Frame& frame);
  void on_put(const Time& now, std::string_view client, std::string& put);
  void on_event(const EventView& event, std::string& results);
  static bool is_reserved(const EventView& event, std::string_view client);
  void refuse_reserved(const EventView& event, std::string& results);
  static Channel channel_to(std::string_view client);
  void refuse(std::string_view bytes, const Error& error, std::string& results);
  void pass_on(const EventView& event, bool loop);
  void answer_unavailable(const EventView& event, std::string& results);
  void publish_topics(const EventView& event);
  void tap(const EventView& event);
  void send_batch(const Time& now, std::string_view client, std::string& put);
  void on_ready(const Time& now, const Topic& topic, Frame& frame);
  void on_ask(const Time& now, std::string_view client, std::string_view body);
  bool answer(const Time& now, std::string_view client, const AskView& ask, std::string& answers);
  void answer_hello(const Time& now,
                    std::string_view client,
                    const AskView& ask,
                    std::string& answers);

  /// Who asked for other rules and waits for them.
  struct RulesWaiter {
    std::string client;
    std::uint64_t request = 0;
  };

  /// The rules to be read anew, or changed and read.
  struct RulesJob {
    std::optional<RulesChange> change;
    std::vector<RulesWaiter> waiters;
  };

  void ask_reload(const Time& now, std::optional<RulesWaiter> waiter);
  void ask_change(const Time& now,
                  std::string_view client,
                  const AskView& ask,
                  std::string& answers);
  void begin_rules_job();
  void finish_rules_jobs(const Time& now);
  void answer_rules(const RulesWaiter& waiter, const Result<>& adopted);
  void answer_versions(const AskView& ask, std::string& answers);
  void on_link_frame(const Time& now, Frame& frame);
  void on_match(const Time& now, std::string_view body);
  void return_delivery(std::string_view topic);
  void tell_gone(std::string_view deliver_topic);
  void prepare_for_rules();
  Result<> adopt(const Time& now, Result<RuleSet> rules, bool changes);
  std::string table_body() const;
  void send_table(const Time& now);
  void send(Channel channel, std::string topic, std::string body);
  void complain_malformed(const Time& now, std::string_view topic, std::string_view why);

  ForwarderOptions options_;
  RuleSet rules_;
  std::uint64_t generation_ = 1;        ///< Counts the loads of the rules in this process.
  std::vector<std::uint64_t> matches_;  ///< By rule, of this generation.
  std::vector<std::string> topics_;     ///< As the rules' topics are published.
  std::unique_ptr<RulesKeeper> keeper_;
  std::deque<RulesJob> rules_jobs_;    ///< The first is under way.
  PendingRules loading_;               ///< Its rules; valid while there is one.
  std::optional<SteadyTime> look_at_;  ///< When to see whether it has ended.
  Log& log_;
  Audience audience_;
  ClientNames clients_;
  LinkGate link_;
  ForwarderCounters counters_;
  std::vector<Frame> out_;

  bool draining_ = false;
  bool linked_ = false;
  std::optional<WallTime> started_;
  WallTime loaded_;          ///< When the rules were loaded.
  std::string rules_fault_;  ///< Why the latest reload was refused; empty: it was not.

  LinkRouted batch_;  ///< Of the put frame in work; views into it.
  std::size_t batch_bytes_ = 0;
  Routing routing_;   ///< Of the event in work; kept for its memory.
  Bodies published_;  ///< By topic, of the turn in work.
  Bodies results_;    ///< By client, likewise.
};

}  // namespace conga::bus
