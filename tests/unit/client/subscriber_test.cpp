// SPDX-License-Identifier: Apache-2.0

#include "common/client/subscriber.h"

#include "common/wire/event/packer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::Frame;
using conga::Settlement;
using conga::Subscriber;
using conga::Time;
using namespace std::chrono_literals;

namespace {

Time at(conga::Duration since_start) {
  return {conga::SteadyTime(1h + since_start), conga::WallTime(1000h + since_start)};
}

std::vector<Frame> collect(Subscriber& subscriber, conga::Duration now) {
  std::vector<Frame> out;
  subscriber.collect(at(now), out);
  return out;
}

std::uint32_t credit_of(const Frame& frame) {
  std::string_view rest = frame.body;
  return conga::take_ready(rest)->credit;
}

Settlement retry(conga::DeliveryId id, std::string message) {
  return {.id = id,
          .outcome = Settlement::Outcome::Retry,
          .code = "Busy",
          .message = std::move(message),
          .delay = std::nullopt};
}

}  // namespace

TEST_CASE("heartbeats announce the credit once a second while online") {
  Subscriber subscriber("payment", "payment-1", {.credit = 7});
  CHECK(collect(subscriber, 0s).empty());
  CHECK_FALSE(subscriber.wake_at());
  subscriber.set_online(true);
  const auto first = collect(subscriber, 0s);
  REQUIRE(first.size() == 1);
  CHECK(first[0].topic == "ready/payment/payment-1");
  CHECK(credit_of(first[0]) == 7);
  CHECK(collect(subscriber, 999ms).empty());
  CHECK(subscriber.wake_at() == at(1s).steady);
  CHECK(collect(subscriber, 1s).size() == 1);
  subscriber.set_online(false);
  CHECK(collect(subscriber, 5s).empty());
  subscriber.set_online(true);
  CHECK(collect(subscriber, 5001ms).size() == 1);
}

TEST_CASE("draining announces credit 0 at once and goes on doing so") {
  Subscriber subscriber("payment", "payment-1", {});
  subscriber.set_online(true);
  collect(subscriber, 0s);
  subscriber.drain();
  const auto frames = collect(subscriber, 10ms);
  REQUIRE(frames.size() == 1);
  CHECK(credit_of(frames[0]) == 0);
  subscriber.drain();
  CHECK(collect(subscriber, 20ms).empty());
}

TEST_CASE("the deliveries of a message come out in order, broken ones are counted") {
  std::string event;
  conga::Packer(event).map(1).key("id").string("x");
  std::string body;
  conga::append(body, conga::DeliveryView{.id = 5, .attempt = 1, .rule = "r", .event = event});
  conga::append(body, conga::DeliveryView{.id = 6, .attempt = 2, .rule = "s", .event = event});
  Subscriber subscriber("s", "i", {});
  const auto deliveries = subscriber.on_deliveries(body + "\xc1");
  REQUIRE(deliveries.size() == 2);
  CHECK(deliveries[0].id == 5);
  CHECK(deliveries[0].rule == "r");
  CHECK(deliveries[0].event == event);
  CHECK(deliveries[1].attempt == 2);
  CHECK(subscriber.malformed() == 1);
  CHECK(subscriber.on_deliveries("\x01").empty());
  CHECK(subscriber.malformed() == 2);
}

TEST_CASE("the settlements of a turn go out in one message") {
  Subscriber subscriber("s", "i", {});
  subscriber.settle(
      {.id = 1, .outcome = Settlement::Outcome::Ok, .code = {}, .message = {}, .delay = {}});
  subscriber.settle(retry(2, "later"));
  CHECK(subscriber.wake_at());
  const auto frames = collect(subscriber, 0s);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].topic == "settle/s/i");
  std::string_view rest = frames[0].body;
  CHECK(conga::take_settlement(rest)->id == 1);
  CHECK(conga::take_settlement(rest)->code == "Busy");
  CHECK(rest.empty());
  CHECK(collect(subscriber, 0s).empty());
}

TEST_CASE("a reason of any length is cut to what the bus accepts, between characters") {
  Subscriber subscriber("s", "i", {});
  std::string message = "x";
  while (message.size() < 200'000) message += "é";
  subscriber.settle(retry(1, message));
  const auto frames = collect(subscriber, 0s);
  REQUIRE(frames.size() == 1);
  std::string_view rest = frames[0].body;
  const auto settlement = conga::take_settlement(rest);
  REQUIRE(settlement);
  CHECK(settlement->message.size() == 8191);
  CHECK(message.starts_with(settlement->message));
}

TEST_CASE("many settlements are spread over several messages, none lost") {
  Subscriber subscriber("s", "i", {});
  for (conga::DeliveryId id = 1; id <= 200; ++id) {
    subscriber.settle(retry(id, std::string(8000, 'x')));
  }
  conga::DeliveryId expected = 1;
  for (const Frame& frame : collect(subscriber, 0s)) {
    CHECK(frame.body.size() < 512 * 1024);
    std::string_view rest = frame.body;
    while (!rest.empty()) CHECK(conga::take_settlement(rest)->id == expected++);
  }
  CHECK(expected == 201);
}
