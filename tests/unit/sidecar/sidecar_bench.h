// SPDX-License-Identifier: Apache-2.0
//
// SidecarBench: a SidecarNode on a FakeDisk, with the forwarder's side of the link in short words.

#pragma once

#include "bus/sidecar/link.h"
#include "bus/sidecar/sidecar_node.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"
#include "tests/support/fake_store.h"
#include "tests/support/routed_event.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conga::bus::testing {

class SidecarBench {
public:
  using MakeStores = std::function<SidecarStores()>;

  explicit SidecarBench(SidecarOptions given = {}) : options(given) { start(); }

  /// On other stores than the FakeDisk.
  explicit SidecarBench(MakeStores make_stores) : stores(std::move(make_stores)) { start(); }

  /// Starts the sidecar, anew if it runs: what was not synced is lost.
  void start() {
    node.reset();
    disk.crash();
    auto opened = SidecarNode::open(now, options, stores(), random, log);
    REQUIRE(opened);
    node = std::move(*opened);
  }

  void frame(std::string topic, std::string body) {
    Frame frame{Channel::Link, std::move(topic), std::move(body)};
    node->on_frame(now, frame);
  }

  /// Ends the turn; what it sent is in `sent`, what its stores did in `did`.
  Result<> turn() {
    sent.clear();
    node->on_time(now);
    auto committed = node->commit(now, sent);
    did = std::exchange(disk.log, {});
    return committed;
  }

  void pass(Duration time) {
    now.steady += time;
    now.wall += time;
  }

  void table(std::vector<LinkTarget> targets) {
    frame(std::string(kTableTopic),
          encode(LinkTable{.boot = 77, .generation = ++generation, .targets = std::move(targets)}));
  }

  std::string make_event(std::string correlation = "B1") {
    Event event;
    event.id = ids.make(now.wall);
    event.source = "aircraft.booking";
    event.detail_type = "BookingCreated";
    event.time = now.wall;
    event.correlation_id = std::move(correlation);
    return encode(event);
  }

  void route(const std::string& event,
             const std::vector<std::uint32_t>& targets = {0},
             bool loop = false) {
    frame(std::string(kRoutedTopic),
          encode(with_event(
              {.boot = 77, .generation = generation, .sequence = ++sequence, .client = "web-1"},
              event,
              targets,
              loop)));
  }

  void ready(const std::string& service, const std::string& instance, std::uint32_t credit = 10) {
    std::string body;
    append(body, Ready{credit});
    frame(ready_topic(service, instance), body);
  }

  void settle(DeliveryId id,
              Settlement::Outcome outcome,
              const std::string& service = "payment",
              const std::string& instance = "p1") {
    std::string body;
    append(body,
           Settlement{.id = id,
                      .outcome = outcome,
                      .code = "Declined",
                      .message = "no",
                      .delay = std::nullopt});
    frame(settle_topic(service, instance), body);
  }

  void ask(const std::string& verb, const std::string& json = "{}", std::uint64_t request = 1) {
    const auto arguments = json_to_msgpack(json);
    REQUIRE(arguments);
    std::string body;
    append_ask(body, request, verb, *arguments);
    frame("ask/cli-1", body);
  }

  /// The bodies sent on `topic`, joined.
  std::string on(std::string_view topic) const {
    std::string bodies;
    for (const Frame& frame : sent) {
      if (frame.topic == topic) bodies += frame.body;
    }
    return bodies;
  }

  std::vector<PutResult> results() const {
    const std::string body = on("put-result/web-1");
    std::string_view rest = body;
    std::vector<PutResult> results;
    while (!rest.empty()) results.push_back(*take_put_result(rest));
    return results;
  }

  struct Sent {
    DeliveryId id;
    std::uint32_t attempt;
    std::string rule;
    std::string event;
  };

  std::vector<Sent> deliveries(const std::string& topic = "deliver/payment/p1") const {
    const std::string body = on(topic);
    std::string_view rest = body;
    std::vector<Sent> found;
    while (!rest.empty()) {
      const auto delivery = take_delivery(rest);
      REQUIRE(delivery);
      found.push_back({delivery->id,
                       delivery->attempt,
                       std::string(delivery->rule),
                       std::string(delivery->event)});
    }
    return found;
  }

  /// The answer as JSON, or `CODE: message`.
  std::string answer() const {
    const std::string body = on("answer/cli-1");
    std::string_view rest = body;
    if (rest.empty()) return "";
    const auto answer = take_answer(rest);
    REQUIRE(answer);
    if (answer->ok) return to_json(answer->result);
    return std::string(answer->code) + ": " + std::string(answer->message);
  }

  LinkAlive alive() const {
    const auto alive = read_alive(on(kAliveTopic));
    REQUIRE(alive);
    return *alive;
  }

  SidecarStores fake_stores() {
    SidecarStores made;
    made.open_events = [this](RecoveryVisitor& visitor) {
      return Result<std::unique_ptr<EventStore>>(std::make_unique<FakeStore>(disk, visitor));
    };
    made.open_dead_letters = [this] {
      return Result<std::unique_ptr<DeadLetters>>(std::make_unique<FakeDeadLetters>(disk));
    };
    return made;
  }

  SidecarOptions options;
  MakeStores stores = [this] { return fake_stores(); };
  FakeDisk disk;
  Random random{7};
  UuidFactory ids{random};
  Log log = Log::null();
  Time now{SteadyTime(std::chrono::hours(100)), WallTime(std::chrono::hours(490'000))};
  std::unique_ptr<SidecarNode> node;
  std::vector<Frame> sent;
  std::vector<std::string> did;
  std::uint64_t generation = 0;
  std::uint64_t sequence = 0;
};

}  // namespace conga::bus::testing
