// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/relay.h"
#include "cli/commands/chaos.h"
#include "common/wire/topics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using conga::Channel;
using conga::DeliveryId;
using conga::DeliveryView;
using conga::Duration;
using conga::Event;
using conga::Frame;
using conga::Settlement;
using conga::SteadyTime;
using conga::Time;
using conga::Uuid;
using conga::bus::LinkTable;
using conga::cli::ChaosRelay;
using conga::cli::Deed;
using conga::cli::kReorderWindow;
using conga::cli::Mischief;
using conga::cli::MischiefOptions;
using conga::cli::parse_percent;
using conga::cli::Plan;
using conga::cli::RelayOptions;

namespace {

using std::chrono::milliseconds;

std::string event_of(const std::string& flow, const std::string& id) {
  Event event;
  event.id = Uuid::v5(Uuid(), id);
  event.source = "shop.orders";
  event.detail_type = "Placed";
  event.correlation_id = flow;
  return conga::encode(event);
}

/// A relay between a bus and a sidecar that the test plays.
struct Site {
  explicit Site(RelayOptions options)
      : relay(
          std::move(options),
          [this](const Deed& deed) { deeds.push_back(deed); },
          [this](const std::string& warning) { warnings.push_back(warning); }) {}

  static std::string topic() { return conga::deliver_topic("billing", "b1"); }

  void deliver(DeliveryId id, const std::string& flow, std::uint32_t attempt = 1) {
    const std::string event = event_of(flow, flow);
    std::string body;
    append(body, DeliveryView{.id = id, .attempt = attempt, .rule = "bill", .event = event});
    give(Channel::Link, topic(), body);
  }

  void settle(DeliveryId id, Settlement::Outcome outcome = Settlement::Outcome::Ok) {
    std::string body;
    const std::string code = outcome == Settlement::Outcome::Ok ? "" : "Twice";
    append(body,
           Settlement{.id = id, .outcome = outcome, .code = code, .message = code, .delay = {}});
    give(Channel::Bus, conga::settle_topic("billing", "b1"), body);
  }

  void give(Channel from, std::string topic, std::string body) {
    Frame frame{.channel = from, .topic = std::move(topic), .body = std::move(body)};
    relay.on_frame(now, frame);
  }

  /// What leaves the relay until nothing is held any more.
  std::vector<Frame> all() {
    std::vector<Frame> out;
    REQUIRE(relay.commit(now, out));
    while (const auto wake = relay.wake_at()) {
      now.steady = std::max(now.steady, *wake);
      REQUIRE(relay.commit(now, out));
    }
    return out;
  }

  /// The ids of all() that is delivered, in order.
  std::vector<DeliveryId> delivered() {
    std::vector<DeliveryId> ids;
    for (const Frame& frame : all()) {
      if (frame.channel != Channel::Bus || frame.topic != topic()) continue;
      std::string_view body = frame.body;
      while (!body.empty()) {
        const auto delivery = conga::take_delivery(body);
        REQUIRE(delivery);
        ids.push_back(delivery->id);
      }
    }
    return ids;
  }

  Time now{.steady = SteadyTime(std::chrono::hours(1)), .wall = {}};
  std::vector<Deed> deeds;
  std::vector<std::string> warnings;
  ChaosRelay relay;
};

RelayOptions with(MischiefOptions mischief) {
  return {.mischief = std::move(mischief)};
}

Plan plan_of(Mischief& mischief, const std::string& flow, const std::string& id) {
  const std::string bytes = event_of(flow, id);
  const DeliveryView delivery{.id = 1, .attempt = 1, .rule = "bill", .event = bytes};
  return mischief.plan("billing", delivery, *conga::read_event(bytes));
}

}  // namespace

TEST_CASE("a share is a percentage") {
  CHECK(*parse_percent("5%") == doctest::Approx(0.05));
  CHECK(*parse_percent("0.5%") == doctest::Approx(0.005));
  CHECK(*parse_percent("100%") == 1);
  for (const char* wrong : {"", "%", "5", "0.05", "101%", "-1%", "5 %", "nan%", "5%%"}) {
    CHECK_FALSE(parse_percent(wrong));
  }
}

TEST_CASE("a seed does the same to the same flows, whatever their order and ids") {
  const MischiefOptions options{
      .seed = 7, .duplicate = 0.3, .drop_acks = 0.3, .reorder = true, .delay = milliseconds(50)};
  Mischief one(options);
  Mischief other(options);
  std::map<std::string, Plan> plans;
  for (int each = 0; each < 200; ++each) {
    const std::string flow = "K-" + std::to_string(each);
    plans[flow] = plan_of(one, flow, flow);
  }
  for (int each = 199; each >= 0; --each) {
    const std::string flow = "K-" + std::to_string(each);
    CHECK(plan_of(other, flow, flow + " in another run") == plans[flow]);
  }
  const auto twice =
      std::ranges::count_if(plans, [](const auto& each) { return each.second.copy.has_value(); });
  CHECK(twice > 30);
  CHECK(twice < 90);
  Mischief third({.seed = 8, .duplicate = 0.3});
  const auto differs = std::ranges::any_of(plans, [&third](const auto& each) {
    return plan_of(third, each.first, each.first).copy.has_value() != each.second.copy.has_value();
  });
  CHECK(differs);
}

TEST_CASE("switching one fault on leaves the others as they were") {
  Mischief twice({.seed = 7, .duplicate = 0.3});
  Mischief both({.seed = 7, .duplicate = 0.3, .drop_acks = 0.5, .reorder = true});
  for (int each = 0; each < 100; ++each) {
    const std::string flow = "K-" + std::to_string(each);
    CHECK(plan_of(twice, flow, flow).copy.has_value()
          == plan_of(both, flow, flow).copy.has_value());
  }
}

TEST_CASE("what is not a delivery or a settlement passes untouched, both ways") {
  Site site(with({.duplicate = 1, .drop_acks = 1}));
  site.give(Channel::Bus, "ask/c", "anything");
  site.give(Channel::Link, "link/alive", "anything");
  site.give(Channel::Link, Site::topic(), "no delivery");
  site.give(Channel::Bus, conga::settle_topic("billing", "b1"), "no settlement");
  const std::vector<Frame> out = site.all();
  REQUIRE(out.size() == 4);
  CHECK(out[0] == Frame{.channel = Channel::Link, .topic = "ask/c", .body = "anything"});
  CHECK(out[1] == Frame{.channel = Channel::Bus, .topic = "link/alive", .body = "anything"});
  CHECK(out[2].body == "no delivery");
  CHECK(out[3].body == "no settlement");
  CHECK(site.deeds.empty());
}

TEST_CASE("a delivery goes out twice, and its settlement passes once both are settled") {
  Site site(with({.duplicate = 1}));
  site.deliver(11, "K-1");
  CHECK(site.delivered() == std::vector<DeliveryId>{11, 11});
  REQUIRE(site.deeds.size() == 1);
  CHECK(site.deeds[0].correlation_id == "K-1");
  CHECK(site.deeds[0].plan.copy);
  site.settle(11);
  CHECK(site.all().empty());
  site.settle(11, Settlement::Outcome::Reject);
  const auto out = site.all();
  REQUIRE(out.size() == 1);
  std::string_view body = out[0].body;
  const auto passed = conga::take_settlement(body);
  REQUIRE(passed);
  CHECK(passed->outcome == Settlement::Outcome::Reject);
  CHECK(site.relay.counters().duplicated == 1);
}

TEST_CASE("an ok is lost on the first attempt only, and a refusal never") {
  Site site(with({.drop_acks = 1}));
  site.deliver(1, "K-1");
  site.deliver(2, "K-2");
  site.deliver(3, "K-1", 2);
  CHECK(site.delivered().size() == 3);
  site.settle(1);
  CHECK(site.all().empty());
  site.settle(2, Settlement::Outcome::Reject);
  site.settle(3);
  CHECK(site.all().size() == 2);
  CHECK(site.relay.counters().acks_dropped == 1);
}

TEST_CASE("deliveries are held no longer than asked for, and neighbours swap") {
  Site site(with({.reorder = true, .delay = milliseconds(100)}));
  std::vector<DeliveryId> given;
  for (DeliveryId id = 1; id <= 50; ++id) {
    site.deliver(id, "K-" + std::to_string(id));
    given.push_back(id);
  }
  const SteadyTime start = site.now.steady;
  CHECK(*site.relay.wake_at() > start);
  std::vector<DeliveryId> taken = site.delivered();
  CHECK(site.now.steady - start <= kReorderWindow + milliseconds(100));
  CHECK(taken != given);
  std::ranges::sort(taken);
  CHECK(taken == given);
}

TEST_CASE("services that were not chosen are left alone") {
  Site site(with({.duplicate = 1, .targets = {"stock"}}));
  site.deliver(1, "K-1");
  CHECK(site.delivered() == std::vector<DeliveryId>{1});
  CHECK(site.deeds.empty());
}

TEST_CASE("when it is stopped, the relay holds nothing back") {
  Site site(with({.delay = std::chrono::minutes(1)}));
  site.deliver(1, "K-1");
  CHECK_FALSE(site.relay.drained());
  site.relay.drain(site.now);
  std::vector<Frame> out;
  REQUIRE(site.relay.commit(site.now, out));
  CHECK(out.size() == 1);
  CHECK(site.relay.drained());
}

TEST_CASE("with dropped acks, targets wait no longer than asked for; a wrong name is told once") {
  Site site(with({.drop_acks = 0.1, .targets = {"billing", "stok"}}));
  LinkTable table{.boot = 1, .generation = 1, .targets = {}};
  table.targets.push_back(
      {.rule = "bill", .target = "b", .service = "billing", .retry = {}, .ordering = ""});
  table.targets.push_back(
      {.rule = "tell", .target = "m", .service = "mail", .retry = {}, .ordering = ""});
  for (int each = 0; each < 2; ++each) {
    site.give(Channel::Bus, std::string(conga::bus::kTableTopic), encode(table));
  }
  const auto out = site.all();
  REQUIRE(out.size() == 2);
  const auto passed = conga::bus::read_table(out[1].body);
  REQUIRE(passed);
  CHECK(passed->targets[0].retry.ack_timeout == std::chrono::seconds(1));
  CHECK(passed->targets[1].retry.ack_timeout == std::chrono::seconds(30));
  CHECK(site.warnings
        == std::vector<std::string>{
            "no rule delivers to a service 'stok': nothing will be done to it"});
}

TEST_CASE("what was done is read back as it was written") {
  const Deed deed{.event = Uuid::v5(Uuid(), "e"),
                  .source = "shop.orders",
                  .detail_type = "Placed",
                  .correlation_id = "K-\"1\"",
                  .service = "billing",
                  .attempt = 2,
                  .plan = {.hold = milliseconds(12), .copy = milliseconds(15), .drop_ack = true}};
  CHECK(*conga::cli::read_deed(json_of(deed)) == deed);
  CHECK(text_of(deed)
        == "Placed of K-\"1\" to billing, attempt 2: held for 12.0 ms, sent twice, ack dropped");
  CHECK_FALSE(conga::cli::read_deed("{}"));
  CHECK_FALSE(conga::cli::read_deed("nonsense"));
}
