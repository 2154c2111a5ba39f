// SPDX-License-Identifier: Apache-2.0
//
// The clients of the delivery simulation: publishers of planned events, consumers that fail in
// every way there is, and an operator who asks for redrives, pauses and reloads. They are made of
// the client library that real clients use, and keep nothing over their deaths.

#pragma once

#include "common/client/publisher.h"
#include "common/client/session.h"
#include "common/client/subscriber.h"
#include "common/core/random.h"
#include "common/runtime/node.h"
#include "tests/simulation/delivery_plan.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conga::simulation {

/// How often consumers do what; the rest of the time they answer ok at once.
struct Moods {
  double retry = 0;
  double delay = 0;   ///< Of the retries: with a delay of their own.
  double silent = 0;  ///< Never answers.
  double slow = 0;    ///< Answers ok, late.
  double die = 0;     ///< Before anything of the turn is answered.
};

class EventPublisher final : public Node {
public:
  /// `events` must outlive the node. Puts those of publisher `number`.
  EventPublisher(std::string client,
                 std::uint64_t nonce,
                 std::size_t number,
                 std::vector<PlannedEvent>& events);

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  std::vector<std::string> subscriptions() const override;

private:
  bool is_due(const PlannedEvent& event, std::size_t at) const;

  std::string client_;
  std::size_t number_;
  std::vector<PlannedEvent>& events_;
  std::vector<bool> offered_;
  Session session_;
  Publisher publisher_;
};

/// What all consumers share, and what outlives them.
struct ConsumerTrade {
  Moods moods;
  std::map<std::string, const PlannedEvent*> events;  ///< By id.
};

class Consumer final : public Node {
public:
  struct Options {
    std::string service;
    std::string instance;
    std::uint64_t nonce = 0;
    std::uint32_t credit = 1;
  };

  /// `trade` and `random` must outlive the node.
  Consumer(Options options, const ConsumerTrade& trade, Random& random);

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  std::vector<std::string> subscriptions() const override;

private:
  void consume(const Time& now, const Delivery& delivery);

  Options options_;
  const ConsumerTrade& trade_;
  Random& random_;
  Session session_;
  Subscriber subscriber_;
  std::vector<std::pair<SteadyTime, Settlement>> later_;
  bool dies_ = false;
};

/// Asks each of `questions` once it is time, and again until it is answered.
struct Question {
  SteadyTime at;
  std::string verb;
  std::string arguments;  ///< One msgpack map.
  std::optional<std::uint64_t> request = {};
  bool answered = false;
};

class Operator final : public Node {
public:
  /// `questions` must outlive the node.
  Operator(std::string client, std::uint64_t nonce, std::vector<Question>& questions);

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  std::vector<std::string> subscriptions() const override;

private:
  std::string client_;
  std::vector<Question>& questions_;
  Session session_;
};

}  // namespace conga::simulation
