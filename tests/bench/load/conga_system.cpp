// SPDX-License-Identifier: Apache-2.0
//
// conga under load: the project's own client parts, driven by the project's own loop.

#include "common/client/publisher.h"
#include "common/client/session.h"
#include "common/client/subscriber.h"
#include "common/core/random.h"
#include "common/log/log.h"
#include "common/runtime/run.h"
#include "common/runtime/zmq/zmq_transport.h"
#include "common/wire/event/event.h"
#include "common/wire/topics.h"
#include "tests/bench/load/event_mill.h"
#include "tests/bench/load/systems.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conga::bench {
namespace {

constexpr std::size_t kMostInFlight = 10'000;  // Above, sockets drop: their high-water mark.

/// Waits below a millisecond, which a poll cannot.
class FineTransport final : public Transport {
public:
  explicit FineTransport(Transport& inner) : inner_(inner) {}

  Result<> poll(std::optional<Duration> wait,
                const std::function<bool(Channel)>& accepts,
                Arrivals& arrivals) override {
    if (!wait || *wait <= Duration(0) || *wait >= std::chrono::milliseconds(1)) {
      return inner_.poll(wait, accepts, arrivals);
    }
    sleep_until(now_ns() + static_cast<std::uint64_t>(wait->count()) * 1000);
    return inner_.poll(Duration(0), accepts, arrivals);
  }

  void send(Frame frame) override { inner_.send(std::move(frame)); }

private:
  Transport& inner_;
};

std::vector<std::string> topics_of(const std::string& name, std::string main) {
  return {answer_topic(name), std::move(main)};
}

/// What publisher and consumer share: hello, and the start and end of the run.
class Client : public Node {
public:
  Client(Side& side, std::vector<std::string> topics, Random& random)
      : side_(side),
        topics_(std::move(topics)),
        session_(side.name(), topics_, random.bits() >> 1U, {}) {}

  void on_frame(const Time& now, Frame& frame) override {
    if (frame.topic == topics_.front()) {
      session_.on_answers(now, frame.body);
      if (session_.greeted() && !online_) go_online();
    } else {
      take(now, frame);
    }
  }

  std::vector<std::string> subscriptions() const override { return topics_; }

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    session_.collect(now, out);
    emit(now, out);
    return {};
  }

  bool done() const { return side_.stopped(); }

protected:
  virtual void take(const Time& now, Frame& frame) = 0;
  virtual void emit(const Time& now, std::vector<Frame>& out) = 0;
  virtual void begin() = 0;

  Side& side() { return side_; }

  const Side& side() const { return side_; }

  const Session& session() const { return session_; }

private:
  void go_online() {
    online_ = true;
    begin();
    side_.lane().ready.store(true);
  }

  Side& side_;
  std::vector<std::string> topics_;
  Session session_;
  bool online_ = false;
};

class LoadPublisher final : public Client {
public:
  LoadPublisher(Side& side, Random& random)
      : Client(side, topics_of(side.name(), put_result_topic(side.name())), random),
        mill_(side.plan().kinds, side.plan().size, random),
        publisher_(side.name(),
                   {.window = side.plan().window,
                    .batch_bytes = side.plan().batch,
                    .retransmit_initial = std::chrono::seconds(2)}) {}

  void on_time(const Time& now) override {
    if (!side().going()) return;
    const std::size_t room = side().plan().window - publisher_.in_window();
    const std::size_t count = std::min(side().allowance(), room);
    for (std::size_t at = 0; at < count; ++at) {
      auto made = mill_.next(now.wall, now_ns());
      publisher_.offer(made.first, std::move(made.second));
    }
    side().note_put(count);
  }

  std::optional<SteadyTime> wake_at() const override {
    if (!session().greeted()) return session().wake_at();
    const SteadyTime look = SteadyTime(Duration(static_cast<std::int64_t>(next_look() / 1000 + 1)));
    const auto due = publisher_.wake_at();
    return due ? std::min(*due, look) : look;
  }

protected:
  void begin() override { publisher_.set_online(true); }

  void take(const Time& now, Frame& frame) override {
    publisher_.on_put_results(now, frame.body);
    side().note_done(publisher_.take_results().size());
    side().lane().again.store(publisher_.retransmissions(), std::memory_order_relaxed);
  }

  void emit(const Time& now, std::vector<Frame>& out) override { publisher_.collect(now, out); }

private:
  /// A full window moves when results come, and the start is looked for now and then.
  std::uint64_t next_look() const {
    constexpr std::uint64_t kMillisecond = 1'000'000;
    if (!side().going()) return now_ns() + kMillisecond;
    if (!publisher_.has_room()) return now_ns() + 100 * kMillisecond;
    return side().next_look();
  }

  EventMill mill_;
  Publisher publisher_;
};

class LoadConsumer final : public Client {
public:
  LoadConsumer(Side& side, const std::string& service, Random& random)
      : Client(side, topics_of(side.name(), deliver_topic(service, side.name())), random),
        subscriber_(
            service,
            side.name(),
            {.credit = static_cast<std::uint32_t>(std::min(side.plan().credit, kMostInFlight))}) {}

  void on_time(const Time& now) override {
    if (waiting_.empty() || now.steady < free_at_) return;
    subscriber_.settle({.id = waiting_.front(), .code = {}, .message = {}, .delay = {}});
    waiting_.erase(waiting_.begin());
    side().note_done(1);
    free_at_ = now.steady + Duration(static_cast<std::int64_t>(side().plan().slow));
  }

  std::optional<SteadyTime> wake_at() const override {
    const SteadyTime soon =
        SystemClock().now().steady + std::chrono::milliseconds(100);  // to see the end
    const auto own = session().greeted() ? subscriber_.wake_at() : session().wake_at();
    const SteadyTime next = own ? std::min(*own, soon) : soon;
    return waiting_.empty() ? next : std::min(next, free_at_);
  }

protected:
  void begin() override { subscriber_.set_online(true); }

  void take(const Time& /*now*/, Frame& frame) override {
    const bool slow = side().number() == 0 && side().plan().slow > 0;
    const std::uint64_t at = now_ns();
    const std::vector<Delivery> deliveries = subscriber_.on_deliveries(frame.body);
    for (const Delivery& delivery : deliveries) {
      side().note_delivery(EventMill::sent(delivery.event), at);
      if (slow) {
        waiting_.push_back(delivery.id);
      } else {
        subscriber_.settle({.id = delivery.id, .code = {}, .message = {}, .delay = {}});
      }
    }
    if (!slow) side().note_done(deliveries.size());
  }

  void emit(const Time& now, std::vector<Frame>& out) override { subscriber_.collect(now, out); }

private:
  Subscriber subscriber_;
  std::vector<DeliveryId> waiting_;  ///< Of the slow consumer.
  SteadyTime free_at_;
};

class TopicConsumer final : public Client {
public:
  TopicConsumer(Side& side, Random& random)
      : Client(side, topics_of(side.name(), routed_topic(side.plan().topic)), random) {}

  void on_time(const Time& /*now*/) override {}

  std::optional<SteadyTime> wake_at() const override {
    const SteadyTime soon = SystemClock().now().steady + std::chrono::milliseconds(100);
    const auto own = session().wake_at();
    return own ? std::min(*own, soon) : soon;
  }

protected:
  void begin() override {}

  void take(const Time& /*now*/, Frame& frame) override {
    const std::uint64_t at = now_ns();
    std::string_view body = frame.body;
    std::size_t count = 0;
    for (; !body.empty(); ++count) {
      const auto event = Value::take(body, {});
      if (!event) return;
      side().note_delivery(EventMill::sent(event->bytes_up_to(body)), at);
    }
    side().note_done(count);
  }

  void emit(const Time& /*now*/, std::vector<Frame>& /*out*/) override {}
};

Result<> drive(Client& client, const Plan& plan) {
  Log log("bench", LogLevel::Warning, make_stderr_sink({}));
  ZmqOptions options;
  options.linger = Duration(0);
  auto transport = ZmqTransport::client(
      plan.publish, plan.subscribe, client.subscriptions(), options, nullptr, log);
  if (!transport) return transport.failure();
  FineTransport fine(**transport);
  const auto ran = run(client, fine, SystemClock(), {}, [&client] { return client.done(); });
  if (!ran) return ran.failure();
  return {};
}

Result<> publish(Side& side) {
  Random random = Random::from_system();
  LoadPublisher publisher(side, random);
  return drive(publisher, side.plan());
}

Result<> consume(Side& side) {
  Random random = Random::from_system();
  if (!side.plan().topic.empty()) {
    TopicConsumer consumer(side, random);
    return drive(consumer, side.plan());
  }
  const std::string service = "bench-" + std::to_string(side.number() % side.plan().services);
  LoadConsumer consumer(side, service, random);
  return drive(consumer, side.plan());
}

}  // namespace

System conga_system() {
  return {"conga", publish, consume, nullptr};
}

}  // namespace conga::bench
