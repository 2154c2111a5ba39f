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
#include "services/kit/handlers.h"
#include "services/kit/inbox.h"
#include "services/kit/outbox.h"

#include <cstdint>
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
  /// Brings all tables up to date. `handlers`, `database` and `log` must outlive the node.
  static Result<std::unique_ptr<ServiceNode>> open(ServiceOptions options,
                                                   Handlers& handlers,
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
  /// An event in hand whose effect must be carried out before it can be settled.
  struct Pending {
    std::size_t delivery = 0;  ///< Position in deliveries_.
    Effect effect;
  };

  ServiceNode(ServiceOptions options, Handlers& handlers, Database& database, Log& log);

  Result<> decide_all(const Time& now);
  Result<> settle_put_results(const Time& now);
  Result<> decide(std::size_t at, const Time& now);
  Result<> perform_effects(const Time& now);
  Result<> complete(const Pending& pending, const Result<std::string>& answer, const Time& now);
  Result<> keep(const EventView& event, const Facts& facts, const Time& now);
  Result<> prune(const Time& now);
  Result<> refill(const Time& now);
  void settle_ok(std::size_t at);
  void settle_error(std::size_t at, const Error& error);
  Result<> abandon(const Error& error);
  void log_refusals(const Time& now);

  ServiceOptions options_;
  Handlers& handlers_;
  Database& database_;
  Log& log_;
  Inbox inbox_;
  Outbox outbox_;
  Session session_;
  Publisher publisher_;
  Subscriber subscriber_;

  std::vector<Delivery> deliveries_;     ///< Of this turn.
  std::vector<PutResult> put_results_;   ///< Not yet in the database.
  std::vector<Settlement> settlements_;  ///< To be sent after the commit.
  std::vector<Pending> effects_;
  std::int64_t offered_ = 0;   ///< The outbox entries up to this number have been offered.
  bool may_have_more_ = true;  ///< The outbox may hold entries behind `offered_`.
  bool draining_ = false;
  std::optional<SteadyTime> prune_at_;
  bool name_refused_ = false;
};

}  // namespace conga::kit
