// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/packer.h"
#include "tests/unit/bus/support.h"

#include <rapidcheck.h>

using namespace conga::bus::test;
using conga::Channel;
using conga::encode;
using conga::Event;
using conga::Frame;
using conga::take_answer;
using conga::bus::kRoutedTopic;
using conga::bus::LinkGate;
using conga::bus::read_routed;

namespace {

/// What a `link/routed` frame holds, by number and targets.
struct Handed {
  std::string client;
  std::vector<std::vector<std::uint32_t>> targets;
  std::vector<bool> loops;
};

Handed read_handed(const Frame& frame) {
  CHECK(frame.channel == Channel::Link);
  CHECK(frame.topic == "link/routed");
  const auto routed = conga::bus::read_routed(frame.body);
  REQUIRE(routed);
  CHECK(routed->boot == kBoot);
  Handed handed{.client = std::string(routed->client), .targets = {}, .loops = {}};
  for (const auto& event : routed->events) {
    const auto targets = routed->targets_of(event);
    handed.targets.emplace_back(targets.begin(), targets.end());
    handed.loops.push_back(event.loop);
  }
  return handed;
}

std::vector<PutAnswer> only_results(const std::vector<Frame>& out) {
  REQUIRE(out.size() == 1);
  CHECK(out[0].channel == Channel::Subscribe);
  CHECK(out[0].topic == "put-result/c");
  return results_in(out[0].body);
}

}  // namespace

TEST_CASE("the events of a put go to the sidecar in one batch with their targets") {
  Bench bench;
  bench.alive();
  const auto out = bench.put(event_of(1, "Paid") + event_of(2, "Unknown") + event_of(3, "Paid"));
  REQUIRE(out.size() == 1);
  const Handed handed = read_handed(out[0]);
  CHECK(handed.client == "c");
  CHECK(handed.targets == std::vector<std::vector<std::uint32_t>>{{0, 1}, {}, {0, 1}});
  CHECK(bench.forwarder.counters().accepted == 3);
  CHECK(bench.forwarder.counters().unmatched == 1);
}

TEST_CASE("an event keeps its bytes on the way to the sidecar") {
  Bench bench;
  bench.alive();
  const std::string event = event_of(1, "Paid");
  const auto out = bench.put(event);
  REQUIRE(out.size() == 1);
  const auto routed = conga::bus::read_routed(out[0].body);
  CHECK(routed->events.at(0).event == event);
}

TEST_CASE("a put that is mostly for the sidecar goes on as it came, of another its events alone") {
  Bench bench;
  bench.alive();
  bench.presence("topic/news");
  const auto handed_on = [&bench](const std::vector<std::string>& events) {
    std::string put;
    for (const std::string& event : events) put += event;
    std::vector<Frame> out = bench.put(put);
    const auto link = std::ranges::find(out, Channel::Link, &Frame::channel);
    REQUIRE(link != out.end());
    return std::move(link->body);
  };
  const std::string seen = event_of(1, "Seen");
  const std::vector<std::string> paid{
      event_of(2, "Paid"), event_of(3, "Paid"), event_of(4, "Paid"), event_of(5, "Paid")};

  const std::string whole = handed_on({paid[0], seen, paid[1], paid[2], paid[3]});
  const auto most = read_routed(whole);
  REQUIRE(most);
  REQUIRE(most->events.size() == 4);
  for (std::size_t at = 0; at < 4; ++at) CHECK(most->events[at].event == paid[at]);
  CHECK(whole.find(seen) != std::string::npos);

  const std::string part = handed_on({seen, seen, event_of(6, "Paid"), seen});
  const auto one = read_routed(part);
  REQUIRE(one);
  REQUIRE(one->events.size() == 1);
  CHECK(one->events[0].event == event_of(6, "Paid"));
  CHECK(part.find(seen) == std::string::npos);
}

TEST_CASE("events with only topics as targets are republished and answered at once") {
  Bench bench;
  bench.presence("topic/news");
  const auto out = bench.put(event_of(1, "Seen"));
  REQUIRE(out.size() == 2);
  CHECK(out[0].topic == "topic/news");
  CHECK(out[0].channel == Channel::Subscribe);
  CHECK(out[0].body == event_of(1, "Seen"));
  CHECK(results_in(out[1].body) == std::vector<PutAnswer>{{id_of(1).text(), ""}});
  CHECK(bench.forwarder.counters().unheard == 1);
  CHECK(bench.forwarder.counters().topic_only == 1);
}

TEST_CASE("an event with both kinds of targets is published when it is handed over") {
  Bench bench;
  bench.presence("topic/news");
  CHECK(only_results(bench.put(event_of(1, "Paid"))).at(0).code == "Unavailable");
  bench.alive();
  const auto out = bench.put(event_of(1, "Paid"));
  REQUIRE(out.size() == 2);
  CHECK(out[0].topic == "link/routed");
  CHECK(out[1].topic == "topic/news");
}

TEST_CASE("accepted events are seen by taps, and only by those that match") {
  Bench bench;
  bench.alive();
  bench.presence("event/shop/");
  auto out = bench.put(event_of(1, "Paid") + event_of(2, "Paid"));
  REQUIRE(out.size() == 2);
  CHECK(out[1].topic == "event/shop/Paid");
  CHECK(out[1].body == event_of(1, "Paid") + event_of(2, "Paid"));
  bench.presence("event/shop/", false);
  bench.presence("event/other/");
  CHECK(bench.put(event_of(3, "Paid")).size() == 1);
}

TEST_CASE("refused events are answered with a code and do not harm their neighbours") {
  Bench bench;
  bench.alive();
  std::string no_source;
  conga::Packer(no_source).map(1).key("id").string(id_of(9).text());
  const auto out = bench.put(event_of(1, "Paid") + no_source + event_of(2, "Paid"));
  REQUIRE(out.size() == 2);
  CHECK(read_handed(out[0]).targets.size() == 2);
  CHECK(results_in(out[1].body) == std::vector<PutAnswer>{{id_of(9).text(), "InvalidEvent"}});
}

TEST_CASE("too large and too deep events are refused by name") {
  auto options = Bench::defaults();
  options.event = {.max_size = 300, .max_depth = 4};
  Bench bench(options);
  bench.alive();
  std::string large;
  conga::Packer(large)
      .map(2)
      .key("id")
      .string(id_of(1).text())
      .key("x")
      .string(std::string(400, 'x'));
  std::string deep;
  conga::Packer(deep).map(2).key("id").string(id_of(2).text()).key("x");
  for (int level = 0; level < 20; ++level) conga::Packer(deep).array(1);
  conga::Packer(deep).null();
  CHECK(only_results(bench.put(large + deep))
        == std::vector<PutAnswer>{{id_of(1).text(), "EventTooLarge"},
                                  {id_of(2).text(), "EventTooDeep"}});
}

TEST_CASE("garbage in a put is refused without an id, and the daemon goes on") {
  Bench bench;
  bench.alive();
  CHECK(only_results(bench.put("\xc1garbage")) == std::vector<PutAnswer>{{"", "InvalidEvent"}});
  CHECK(only_results(bench.put("\x07")) == std::vector<PutAnswer>{{"", "InvalidEvent"}});
  CHECK(bench.put("").empty());
  CHECK(bench.forwarder.counters().malformed == 1);
  CHECK(bench.put(event_of(1, "Paid")).size() == 1);
}

TEST_CASE("without a sidecar durable events are unavailable and topics go on") {
  Bench bench;
  bench.presence("topic/news");
  CHECK(only_results(bench.put(event_of(1, "Paid"))).at(0).code == "Unavailable");
  CHECK(only_results(bench.put(event_of(2, "Unknown"))).at(0).code == "Unavailable");
  CHECK(bench.put(event_of(3, "Seen")).size() == 2);
  CHECK(bench.forwarder.counters().unavailable == 2);
  bench.alive();
  bench.now = at(1s);
  bench.turn();
  CHECK(only_results(bench.put(event_of(1, "Paid"))).at(0).code == "Unavailable");
}

TEST_CASE("a full link holds publishers back, then answers Unavailable, then recovers") {
  auto options = Bench::defaults();
  options.link.window = 100;
  Bench bench(options);
  bench.alive();
  CHECK(bench.forwarder.accepts(Channel::Publish));
  bench.put(event_of(1, "Paid"));
  CHECK_FALSE(bench.forwarder.accepts(Channel::Publish));
  CHECK(bench.forwarder.accepts(Channel::Link));
  bench.now = at(100ms);
  CHECK(bench.forwarder.wake_at() == bench.now.steady);
  bench.turn();
  CHECK(bench.forwarder.accepts(Channel::Publish));
  CHECK(only_results(bench.put(event_of(2, "Paid"))).at(0).code == "Unavailable");
  bench.alive(1);
  CHECK(read_handed(bench.put(event_of(2, "Paid")).at(0)).targets.size() == 1);
}

TEST_CASE("an event over the hop limit goes to the sidecar as a loop and to no topic") {
  Bench bench;
  bench.alive();
  bench.presence("topic/news");
  auto out = bench.put(event_of(1, "Paid", 64) + event_of(2, "Paid", 65));
  REQUIRE(out.size() == 2);
  CHECK(read_handed(out[0]).loops == std::vector<bool>{false, true});
  CHECK(out[1].body == event_of(1, "Paid", 64));
  out = bench.put(event_of(3, "Seen", 65));
  REQUIRE(out.size() == 1);
  CHECK(read_handed(out[0]).loops == std::vector<bool>{true});
  CHECK(bench.forwarder.counters().loops == 2);
}

TEST_CASE("draining refuses puts as retryable and waits for the window") {
  Bench bench;
  bench.alive();
  bench.put(event_of(1, "Paid"));
  bench.forwarder.drain(bench.now);
  CHECK_FALSE(bench.forwarder.drained());
  CHECK(only_results(bench.put(event_of(2, "Paid") + event_of(3, "Seen")))
        == std::vector<PutAnswer>{{id_of(2).text(), "Unavailable"},
                                  {id_of(3).text(), "Unavailable"}});
  bench.alive(1);
  CHECK(bench.forwarder.drained());
}

TEST_CASE("no frame from a client, however malformed, stops the forwarder") {
  rc::check([](const std::string& topic, const std::string& body) {
    Bench bench;
    bench.alive();
    for (const std::string prefix : {"", "put/", "ready/s/", "settle/s/", "ask/", "deliver/"}) {
      bench.turn(Channel::Publish, prefix + topic, body);
      bench.turn(Channel::Publish, prefix + "c", body);
      bench.turn(Channel::Link, prefix + topic, body);
    }
    bench.turn(Channel::Link, "link/alive", body);
    const auto out = bench.put(event_of(1, "Paid"));
    RC_ASSERT(out.size() == 1U);
  });
}

TEST_CASE("puts of one turn are answered in one message a client, topics fed in one a topic") {
  Bench bench;
  bench.presence("topic/news");
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
    Frame frame{.channel = Channel::Publish,
                .topic = number == 3 ? "put/other" : "put/c",
                .body = event_of(number, "Seen")};
    bench.forwarder.on_frame(bench.now, frame);
  }
  std::vector<Frame> out;
  REQUIRE(bench.forwarder.commit(bench.now, out));
  REQUIRE(out.size() == 3);
  CHECK(out[0].topic == "topic/news");
  CHECK(out[0].body == event_of(1, "Seen") + event_of(2, "Seen") + event_of(3, "Seen"));
  CHECK(out[1].topic == "put-result/c");
  CHECK(results_in(out[1].body).size() == 2);
  CHECK(out[2].topic == "put-result/other");
  CHECK(results_in(out[2].body).size() == 1);
  out.clear();
  REQUIRE(bench.forwarder.commit(bench.now, out));
  CHECK(out.empty());
}

TEST_CASE("sources that begin with conga. are the bus's own") {
  Bench bench;
  bench.alive();
  Event event;
  event.id = id_of(1);
  event.source = "conga.dlq";
  event.detail_type = "EventDeadLettered";
  const auto out = bench.put(encode(event));
  REQUIRE(out.size() == 1);
  CHECK(results_in(out[0].body) == std::vector<PutAnswer>{{id_of(1).text(), "ReservedSource"}});
  CHECK(bench.forwarder.counters().refused == 1);
}

TEST_CASE("the sidecar's own events are routed like any other, and answered over the link") {
  Bench bench;
  bench.alive();
  Event event;
  event.id = id_of(1);
  event.source = "conga.dlq";
  event.detail_type = "Paid";
  const auto put = [&](std::string body) {
    return bench.turn(Channel::Link, "put/conga.sidecar", std::move(body));
  };
  const auto routed = put(encode(event));
  REQUIRE(routed.size() >= 1);
  CHECK(routed[0].topic == kRoutedTopic);
  CHECK(read_routed(routed[0].body)->client == "conga.sidecar");
  event.detail_type = "Seen";  // to topics only: the bus answers itself
  const auto out = put(encode(event));
  REQUIRE(out.size() == 1);
  CHECK(out[0].channel == Channel::Link);
  CHECK(out[0].topic == "put-result/conga.sidecar");
}

TEST_CASE("no client may call itself what the sidecar is called") {
  Bench bench;
  bench.alive();
  CHECK(bench.put(event_of(1, "Paid"), "conga.sidecar").empty());
  CHECK(bench.forwarder.counters().malformed == 1);
  bench.presence("answer/conga.sidecar");
  const auto out =
      bench.ask(1, "hello", R"({"topics":["answer/conga.sidecar"],"nonce":1})", "conga.sidecar");
  REQUIRE(out.size() == 1);
  std::string_view rest = out[0].body;
  CHECK(take_answer(rest)->code == "NameTaken");
}
