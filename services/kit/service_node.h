// SPDX-License-Identifier: Apache-2.0
//
// ServiceNode: the Node around a service's handlers. One SQLite transaction a turn holds, for each
// event in a savepoint of its own, the inbox entry, the changed state and the outbox entries; only
// after its commit are deliveries settled and facts put. So a crash at any point leaves either no
// trace of an event, and it is delivered again, or all of it, and a repeat is recognised.

#pragma once

#include "common/client/publisher.h"
#include "common/client/session.h"
#include "common/client/subscriber.h"
#include "common/log/log.h"
#include "common/runtime/node.h"
#include "services/kit/database.h"
#include "services/kit/effect_runner.h"
#include "services/kit/handlers.h"
#include "services/kit/inbox.h"
#include "services/kit/outbox.h"
#include "services/kit/timers.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace conga::kit {

struct ServiceOptions {
  std::string service;      ///< The name that rules know it by.
  std::string instance;     ///< Unique among all processes on the bus.
  std::uint64_t nonce = 0;  ///< Random.
  PublisherOptions publisher;
  SubscriberOptions subscriber;
  SessionOptions session;
  ValueLimits limits;
  Duration inbox_retention = std::chrono::hours(48);  ///< Twice the largest max-age of a delivery.
};

class ServiceNode final : public Node {
public:
  /// Brings all tables up to date. All four must outlive the node.
  static Result<std::unique_ptr<ServiceNode>> open(ServiceOptions options,
                                                   Handlers& handlers,
                                                   EffectRunner& effects,
                                                   Database& database,
                                                   Log& log);

  ~ServiceNode() override;
  ServiceNode(const ServiceNode&) = delete;
  ServiceNode& operator=(const ServiceNode&) = delete;

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  std::vector<std::string> subscriptions() const override;

  bool ready() const override { return session_.greeted(); }

  void drain(const Time& now) override;
  bool drained() const override;

private:
  /// An event whose effect is being carried out.
  struct Pending {
    std::vector<DeliveryId> deliveries;  ///< It may have been delivered again meanwhile.
    std::string event;
    Uuid id;
    Effect effect;
  };

  ServiceNode(ServiceOptions options,
              Handlers& handlers,
              EffectRunner& effects,
              Database& database,
              Log& log);

  Result<> decide_all(const Time& now);
  Result<> settle_put_results(const Time& now);
  Result<> decide(const Delivery& delivery, const Time& now);
  Result<> judge(const Delivery& delivery, const EventView& event, const Time& now);
  void begin_effect(const Delivery& delivery, const EventView& event, Effect effect);
  Result<> end_effects(const Time& now);
  Result<> complete(const Pending& pending, const Result<std::string>& answer, const Time& now);
  Result<> keep_decision(const EventView& event, const Decision& decision, const Time& now);
  Result<> keep_facts(const Cause& cause, const Facts& facts, const Time& now);
  Result<> undo(const Error& error);
  Result<> fire_timers(const Time& now);
  Result<> fire(const Timers::Due& timer, const Time& now);
  Result<> look_at_timers(const Time& now);
  Result<> prune(const Time& now);
  Result<> refill();
  Result<> adopt(const Time& now);
  bool timer_is_due(const Time& now) const;
  void settle(DeliveryId delivery, const Result<>& outcome);
  Result<> abandon(const Error& error);
  void log_refusals(const Time& now);

  ServiceOptions options_;
  Handlers& handlers_;
  EffectRunner& effects_;
  Database& database_;
  Log& log_;
  Inbox inbox_;
  Outbox outbox_;
  Timers timers_;
  Session session_;
  Publisher publisher_;
  Subscriber subscriber_;

  std::vector<Delivery> deliveries_;     ///< Of this turn.
  std::vector<PutResult> put_results_;   ///< Not yet in the database.
  std::vector<Settlement> settlements_;  ///< To be sent after the commit.
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, Pending> pending_;  ///< By ticket.
  std::map<Uuid, std::uint64_t> tickets_by_event_;
  std::vector<std::pair<std::uint64_t, Effect>> to_start_;  ///< After the commit.
  std::vector<EffectRunner::Finished> ended_;               ///< Not yet in the database.
  std::int64_t offered_ = 0;   ///< The outbox entries up to this number have been offered.
  bool may_have_more_ = true;  ///< The outbox may hold entries behind `offered_`.
  bool adopts_all_ = true;     ///< Also what was added a moment ago: this instance has just begun.
  bool draining_ = false;
  std::optional<SteadyTime> prune_at_;
  std::optional<SteadyTime> adopt_at_;
  std::optional<SteadyTime> timers_at_;  ///< When to look at them next.
  bool name_refused_ = false;
};

}  // namespace conga::kit
