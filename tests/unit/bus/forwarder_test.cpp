// SPDX-License-Identifier: Apache-2.0

#include "tests/unit/bus/support.h"

using namespace conga::bus::test;
using conga::Channel;
using conga::Frame;

namespace {

constexpr const char* kHello = R"({"topics":["answer/c","put-result/c"],"nonce":1})";

std::string ready(std::uint32_t credit) {
  std::string body;
  conga::append(body, conga::Ready{.credit = credit});
  return body;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("hello is answered once every subscription it names has arrived") {
  Bench bench;
  CHECK(bench.ask(1, "hello", kHello).empty());
  bench.presence("answer/c");
  CHECK(bench.ask(1, "hello", kHello).empty());
  bench.presence("put-result/c");
  CHECK(bench.answer("hello", kHello) == R"({"bus":"main","version":"0.1.0","boot":77})");
}

TEST_CASE("a second process of the same name is refused while the first is there") {
  Bench bench;
  bench.presence("answer/c");
  const char* const first = R"({"topics":["answer/c"],"nonce":1})";
  const char* const second = R"({"topics":["answer/c"],"nonce":2})";
  CHECK(contains(bench.answer("hello", first), "main"));
  CHECK(contains(bench.answer("hello", first), "main"));
  CHECK(bench.answer("hello", second) == "NameTaken");
  bench.presence("answer/c", false);
  bench.presence("answer/c");
  CHECK(contains(bench.answer("hello", second), "main"));
}

TEST_CASE("a hello without its arguments is told what is missing") {
  Bench bench;
  CHECK(bench.answer("hello") == "InvalidArguments");
  CHECK(bench.answer("hello", R"({"topics":["answer/c"]})") == "InvalidArguments");
  CHECK(bench.answer("hello", R"({"topics":[7],"nonce":1})") == "InvalidArguments");
  CHECK(bench.answer("hello", R"({"topics":["answer/d"],"nonce":1})") == "InvalidArguments");
}

TEST_CASE("heartbeats go to the sidecar only from instances that can be reached") {
  Bench bench;
  CHECK(bench.turn(Channel::Publish, "ready/pay/one", ready(5)).empty());
  CHECK(bench.forwarder.counters().unannounced == 1);
  bench.presence("deliver/pay/one");
  const auto out = bench.turn(Channel::Publish, "ready/pay/one", ready(5));
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Frame{Channel::Link, "ready/pay/one", ready(5)});
  CHECK(bench.turn(Channel::Publish, "ready/pay/one", "x\xc1").empty());
  CHECK(bench.forwarder.counters().malformed == 1);
}

TEST_CASE("the sidecar hears at once of an instance that is gone") {
  Bench bench;
  CHECK(bench.presence("deliver/pay/one").empty());
  const auto out = bench.presence("deliver/pay/one", false);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Frame{Channel::Link, "link/gone/pay/one", ""});
  CHECK(bench.presence("answer/c", false).empty());
}

TEST_CASE("settlements are passed on as they are") {
  Bench bench;
  const auto out = bench.turn(Channel::Publish, "settle/pay/one", "\x92\x01\xa2ok");
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Frame{Channel::Link, "settle/pay/one", "\x92\x01\xa2ok"});
}

TEST_CASE("a delivery to an instance that is not there goes back to the sidecar at once") {
  Bench bench;
  const auto out = bench.turn(Channel::Link, "deliver/pay/one", "any bytes");
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Frame{Channel::Link, "link/gone/pay/one", ""});
  CHECK(bench.forwarder.counters().unreachable == 1);
}

TEST_CASE("what the sidecar sends to clients is published untouched") {
  Bench bench;
  bench.presence("deliver/pay/one");
  for (const std::string topic : {"put-result/c", "deliver/pay/one", "answer/c"}) {
    const auto out = bench.turn(Channel::Link, topic, "any bytes");
    REQUIRE(out.size() == 1);
    CHECK(out[0] == Frame{Channel::Subscribe, topic, "any bytes"});
  }
  CHECK(bench.turn(Channel::Link, "event/shop/Paid", "x").empty());
  CHECK(bench.forwarder.counters().malformed == 1);
}

TEST_CASE("the sidecar is told which old events are for a target, by the rules of its table") {
  Bench bench;
  bench.alive();
  const std::string paid = event_of(1, "Paid");
  const std::string seen = event_of(2, "Seen");
  const std::string loop = event_of(3, "Paid", 65);
  const auto ask = [&](std::uint64_t generation) {
    return bench.turn(Channel::Link,
                      "link/match",
                      encode(conga::bus::LinkMatch{.boot = kBoot,
                                                   .generation = generation,
                                                   .ticket = 4,
                                                   .target = 1,
                                                   .events = {seen, paid, loop, "\x80", paid}}));
  };
  const auto out = ask(1);
  REQUIRE(out.size() == 1);
  CHECK(out[0].channel == Channel::Link);
  CHECK(out[0].topic == "link/matched");
  const auto matched = conga::bus::read_matched(out[0].body);
  REQUIRE(matched);
  CHECK(matched->ticket == 4);
  CHECK(matched->indexes == std::vector<std::uint32_t>{1, 4});
  CHECK(ask(2).empty());
}

TEST_CASE("the table goes to the sidecar on first contact and after each reload") {
  Bench bench;
  auto out = bench.alive(0, 0);
  REQUIRE(out.size() == 1);
  CHECK(out[0].topic == "link/table");
  auto table = conga::bus::read_table(out[0].body);
  REQUIRE(table);
  CHECK(table->boot == kBoot);
  CHECK(table->generation == 1);
  REQUIRE(table->targets.size() == 2);
  CHECK(table->targets[1].service == "stock");
  CHECK(bench.alive(0, 1).empty());
  bench.forwarder.reload(bench.now);
  out = bench.turn();
  REQUIRE(out.size() == 1);
  table = conga::bus::read_table(out[0].body);
  REQUIRE(table);
  CHECK(table->generation == 2);
}

TEST_CASE("wrong rules are kept out, and the status says why until they are right") {
  Bench bench;
  bench.next_rules = conga::fail(conga::Fault::Permanent, "rules.yaml:3:5: no such key");
  bench.forwarder.reload(bench.now);
  REQUIRE(bench.complaints().size() == 1);
  CHECK(contains(bench.complaints()[0], "rules.yaml:3:5: no such key"));
  CHECK(contains(bench.answer("bus.status"), R"("generation":1)"));
  CHECK(contains(bench.answer("bus.status"), R"("fault":"rules.yaml:3:5: no such key")"));
  bench.next_rules = conga::fail(conga::Fault::Permanent, "rules.yaml:3:5: no such key");
  CHECK(bench.answer("rules.reload") == "InvalidRules");
  bench.alive();
  CHECK(bench.put(event_of(1, "Paid")).size() == 1);
  bench.next_rules = two_rules();
  CHECK(bench.ask(1, "rules.reload").size() == 2);
  CHECK(contains(bench.answer("bus.status"), R"("generation":2)"));
  CHECK(contains(bench.answer("bus.status"), R"("fault":null)"));
}

TEST_CASE("while new rules are read events go by the old ones, then all by the new ones") {
  Bench bench;
  bench.alive();
  bench.slow_rules.emplace();
  CHECK(bench.ask(1, "rules.reload").empty());
  const auto wake = bench.forwarder.wake_at();
  REQUIRE(wake);
  CHECK(*wake <= bench.now.steady + std::chrono::milliseconds(5));
  CHECK(bench.put(event_of(1, "Paid")).size() == 1);
  CHECK(contains(bench.answer("bus.status"), R"("generation":1)"));
  // Asked again meanwhile: the files may be newer, so they are read once more afterwards.
  CHECK(bench.ask(2, "rules.reload").empty());
  auto first = std::exchange(bench.slow_rules, std::nullopt);
  first->set_value(conga::fail(conga::Fault::Permanent, "rules.yaml:3:5: no such key"));
  const auto out = bench.turn();
  REQUIRE(out.size() == 3);
  CHECK(contains(out[0].body, "no such key"));
  CHECK(conga::bus::read_table(out[1].body)->generation == 2);
  CHECK(out[2].topic == out[0].topic);
  CHECK(contains(bench.answer("bus.status"), R"("generation":2)"));
}

TEST_CASE("rules are listed with their targets and how often they matched") {
  Bench bench;
  bench.alive();
  bench.put(event_of(1, "Paid") + event_of(2, "Paid") + event_of(3, "Seen"));
  const std::string rules = bench.answer("rules.list");
  CHECK(contains(rules, R"({"generation":1,"rules":[{"name":"paid","description":"what is paid")"));
  CHECK(contains(rules, R"("matches":2)"));
  CHECK(contains(rules, R"("matches":1)"));
  CHECK(contains(rules, R"("pattern":{"detail-type":["Paid"]})"));
  CHECK(contains(rules, R"("topic":"log")"));
}

TEST_CASE("the status counts events, clients and the link") {
  Bench bench;
  bench.presence("answer/c");
  bench.answer("hello", R"({"topics":["answer/c"],"nonce":1})");
  CHECK(contains(bench.answer("bus.status"), R"("link":{"state":"down")"));
  bench.alive();
  bench.put(event_of(1, "Paid"));
  const std::string status = bench.answer("bus.status");
  CHECK(contains(status, R"("link":{"state":"up","sidecar-boot":5)"));
  CHECK(contains(status, R"("accepted":1)"));
  CHECK(contains(status, R"("clients":{"greeted":1,"subscriptions":1})"));
}

TEST_CASE("other questions go to the sidecar, or are refused while it is down") {
  Bench bench;
  CHECK(bench.answer("dlq.list") == "Unavailable");
  bench.alive();
  const auto out = bench.ask(9, "dlq.list", R"({"limit":3})");
  REQUIRE(out.size() == 1);
  CHECK(out[0].channel == Channel::Link);
  CHECK(out[0].topic == "ask/c");
  std::string_view rest = out[0].body;
  const auto ask = conga::take_ask(rest);
  REQUIRE(ask);
  CHECK(ask->verb == "dlq.list");
  CHECK(conga::to_json(ask->arguments) == R"({"limit":3})");
}

TEST_CASE("questions of one message are each answered by whom they concern") {
  Bench bench;
  bench.alive();
  const std::string none = "\x80";
  std::string body;
  conga::append_ask(body, 1, "bus.status", none);
  conga::append_ask(body, 2, "trace", none);
  conga::append_ask(body, 3, "rules.list", none);
  const auto out = bench.turn(Channel::Publish, "ask/c", body);
  REQUIRE(out.size() == 2);
  CHECK(out[0].topic == "ask/c");
  std::string_view rest = out[1].body;
  CHECK(conga::take_answer(rest)->request == 1);
  CHECK(conga::take_answer(rest)->request == 3);
}

TEST_CASE("complaints about bad frames are made once a second, with the number left out") {
  Bench bench;
  for (int frame = 0; frame < 5; ++frame) bench.turn(Channel::Publish, "nonsense", "");
  CHECK(bench.complaints().size() == 1);
  bench.now = at(1s);
  bench.turn(Channel::Publish, std::string("bad\x01") + "topic", "");
  CHECK(bench.complaints().size() <= 3);
  CHECK(contains(bench.complaints().back(), "bad?topic"));
  CHECK(bench.forwarder.counters().malformed == 6);
}

TEST_CASE("rules are applied by their text, and wrong ones change nothing") {
  Bench bench;
  bench.alive();
  const std::string good =
      R"({"by":"ada","text":"rules: [{name: n, pattern: {source: [s]}, targets: [{service: t}]}]"})";
  const auto out = bench.ask(1, "rules.apply", good);
  REQUIRE(out.size() == 2);
  CHECK(conga::bus::read_table(out[0].body)->targets.at(0).service == "t");
  CHECK(contains(bench.answer("bus.status"), R"("generation":2)"));
  CHECK(bench.answer("rules.apply", R"({"text":"rules: 7"})") == "InvalidRules");
  CHECK(bench.answer("rules.apply", R"({"text":7})") == "InvalidArguments");
  CHECK(bench.answer("rules.rollback", R"({})") == "InvalidArguments");
  CHECK(bench.answer("rules.versions") == "NotKept");
  CHECK(contains(bench.answer("bus.status"), R"("generation":2)"));
  CHECK(contains(bench.answer("bus.status"), R"("fault":null)"));
}

TEST_CASE("a change that is asked for while rules are read comes after it") {
  Bench bench;
  bench.alive();
  bench.slow_rules.emplace();
  CHECK(bench.ask(1, "rules.reload").empty());
  const std::string change = R"({"text":"rules: []"})";
  CHECK(bench.ask(2, "rules.apply", change).empty());
  CHECK(bench.ask(2, "rules.apply", change).empty());  // asked again: the same
  auto first = std::exchange(bench.slow_rules, std::nullopt);
  first->set_value(two_rules());
  const auto out = bench.turn();
  CHECK(out.size() == 4);
  CHECK(contains(bench.answer("bus.status"), R"("generation":3)"));
  CHECK(contains(bench.answer("rules.list"), R"("rules":[])"));
}
