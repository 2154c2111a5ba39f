// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar_node.h"

#include "tests/support/mem_files.h"
#include "tests/unit/sidecar/engine_bench.h"
#include "tests/unit/sidecar/sidecar_bench.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace std::chrono_literals;
using conga::Settlement;
using conga::bus::LinkTarget;
using conga::bus::RetryRecord;
using conga::bus::SettledRecord;
using conga::bus::StoredEvent;
using conga::bus::testing::SidecarBench;
using conga::bus::testing::target;

namespace {

using Outcome = Settlement::Outcome;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::ptrdiff_t place(const std::vector<std::string>& log, std::string_view entry) {
  return std::find(log.begin(), log.end(), entry) - log.begin();
}

/// A sidecar with one target, `charge` to `payment`, and one ready instance, `p1`.
SidecarBench& with_payment(SidecarBench& bench) {
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1");
  REQUIRE(bench.turn());
  return bench;
}

}  // namespace

TEST_CASE("a routed event is stored, synced, answered and delivered in one turn") {
  SidecarBench bench;
  with_payment(bench);
  const std::string event = bench.make_event();
  bench.route(event);
  REQUIRE(bench.turn());
  CHECK(bench.did == std::vector<std::string>{"event", "sync"});
  CHECK(bench.disk.synced == 1);
  REQUIRE(bench.results().size() == 1);
  CHECK(bench.results()[0].ok());
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].event == event);
  CHECK(bench.deliveries()[0].attempt == 1);
  CHECK(bench.deliveries()[0].rule == "charge");
  CHECK(bench.alive().accepted == 1);
}

TEST_CASE("an event that no rule wants is archived and answered") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event(), {});
  REQUIRE(bench.turn());
  CHECK(bench.disk.all<StoredEvent>().size() == 1);
  CHECK(bench.results().at(0).ok());
  CHECK(bench.deliveries().empty());
}

TEST_CASE("nothing is handed out when the sync fails, and the error ends the sidecar") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  bench.disk.sync_fails = true;
  const auto turn = bench.turn();
  REQUIRE_FALSE(turn);
  CHECK(turn.error().code == "SyncFailed");
  CHECK(bench.sent.empty());
}

TEST_CASE("a repeated put is answered ok and stored once, also after a restart") {
  SidecarBench bench;
  with_payment(bench);
  const std::string event = bench.make_event();
  bench.route(event);
  bench.route(event);
  REQUIRE(bench.turn());
  CHECK(bench.results().size() == 2);
  CHECK(bench.results()[1].ok());
  CHECK(bench.disk.all<StoredEvent>().size() == 1);

  bench.start();
  with_payment(bench);
  bench.route(event);
  REQUIRE(bench.turn());
  CHECK(bench.results().at(0).ok());
  CHECK(bench.disk.all<StoredEvent>().size() == 1);
}

TEST_CASE("an event that was not synced before a crash is new when it is put again") {
  SidecarBench bench;
  with_payment(bench);
  const std::string event = bench.make_event();
  bench.route(event);
  bench.start();
  with_payment(bench);
  bench.route(event);
  REQUIRE(bench.turn());
  CHECK(bench.disk.all<StoredEvent>().size() == 1);
  CHECK(bench.deliveries().size() == 1);
}

TEST_CASE("a full journal refuses puts, and takes the same event once there is room") {
  SidecarBench bench;
  with_payment(bench);
  const std::string event = bench.make_event();
  bench.disk.full = true;
  bench.route(event);
  REQUIRE(bench.turn());
  REQUIRE(bench.results().size() == 1);
  CHECK(bench.results()[0].code == "JournalFull");
  CHECK(bench.results()[0].retryable());
  CHECK(contains(bench.results()[0].message, "free disk space"));
  bench.disk.full = false;
  bench.route(event);
  REQUIRE(bench.turn());
  CHECK(bench.results().at(0).ok());
  CHECK(bench.deliveries().size() == 1);
}

TEST_CASE("a batch of an unknown table is dropped, unanswered, but counts as handled") {
  SidecarBench bench;
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.results().empty());
  CHECK(bench.alive().forwarder_boot == 0);
  bench.table({target("charge", "payment")});
  REQUIRE(bench.turn());
  CHECK(bench.alive().forwarder_boot == 77);
  CHECK(bench.alive().generation == 1);
  CHECK(bench.alive().accepted == 1);
  ++bench.generation;
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.results().empty());
  CHECK(bench.alive().accepted == 2);
}

TEST_CASE("alive is said every 100 ms, and asks to be woken for it") {
  SidecarBench bench;
  REQUIRE(bench.turn());
  CHECK(bench.alive().boot != 0);
  REQUIRE(bench.turn());
  CHECK(bench.sent.empty());
  REQUIRE(bench.node->wake_at());
  CHECK(*bench.node->wake_at() == bench.now.steady + 100ms);
  bench.pass(100ms);
  REQUIRE(bench.turn());
  CHECK(bench.sent.size() == 1);
}

TEST_CASE("ok is recorded with its instance and times, and needs no answer") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  const auto sent_at = bench.now.wall;
  bench.pass(3ms);
  bench.settle(bench.deliveries().at(0).id, Outcome::Ok);
  REQUIRE(bench.turn());
  const auto settled = bench.disk.all<SettledRecord>();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].instance == "p1");
  CHECK(settled[0].attempts == 1);
  CHECK(settled[0].first_attempt == sent_at);
  CHECK(settled[0].at == bench.now.wall);
  CHECK(settled[0].ending == conga::bus::Ending::Settled);
}

TEST_CASE("a failed attempt is recorded and survives a restart") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.settle(bench.deliveries().at(0).id, Outcome::Retry);
  REQUIRE(bench.turn());
  REQUIRE(bench.disk.all<RetryRecord>().size() == 1);
  CHECK(bench.disk.all<RetryRecord>()[0].code == "Declined");
  bench.start();
  bench.pass(1s);
  with_payment(bench);
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].attempt == 2);
}

TEST_CASE("delivery ids differ from run to run, so an old settlement does no harm") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  const auto old = bench.deliveries().at(0).id;
  bench.start();
  with_payment(bench);
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].id != old);
  bench.settle(old, Outcome::Ok);
  REQUIRE(bench.turn());
  CHECK(bench.disk.all<SettledRecord>().empty());
}

TEST_CASE("a rejected delivery is durable in the dead letters before the journal forgets it") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event("B7"));
  REQUIRE(bench.turn());
  bench.settle(bench.deliveries().at(0).id, Outcome::Reject);
  REQUIRE(bench.turn());
  const auto& log = bench.did;
  CHECK(place(log, "letter") < place(log, "letters-sync"));
  CHECK(place(log, "letters-sync") < place(log, "dead"));
  CHECK(place(log, "dead") < place(log, "sync"));
  REQUIRE(bench.disk.letters.size() == 1);
  const auto& letter = bench.disk.letters.begin()->second;
  CHECK(letter.target.rule == "charge");
  CHECK(letter.service == "payment");
  CHECK(letter.source == "aircraft.booking");
  CHECK(letter.detail_type == "BookingCreated");
  CHECK(letter.correlation_id == "B7");
  CHECK(letter.error_code == "Declined");
  CHECK(letter.error_message == "no");
  CHECK(letter.exhausted_retry_condition.empty());
  CHECK(letter.retry_attempts == 0);
  CHECK(letter.first_attempt.has_value());
  CHECK(letter.sequence == 1);
}

TEST_CASE("while the dead letters have no room deliveries wait for it, and are not forgotten") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.settle(bench.deliveries().at(0).id, Outcome::Reject);
  bench.disk.letters_full = true;
  REQUIRE(bench.turn());
  CHECK(bench.disk.all<SettledRecord>().empty());
  bench.disk.letters_full = false;
  bench.pass(1s);
  REQUIRE(bench.turn());
  CHECK(bench.disk.letters.size() == 1);
  CHECK(bench.disk.all<SettledRecord>().size() == 1);
}

TEST_CASE("a loop is a dead letter for each target, and for none if no rule matched") {
  SidecarBench bench;
  bench.table({target("one", "payment"), target("two", "seating")});
  bench.ready("payment", "p1");
  bench.route(bench.make_event(), {0, 1}, true);
  bench.route(bench.make_event(), {}, true);
  REQUIRE(bench.turn());
  CHECK(bench.results().size() == 2);
  CHECK(bench.results()[0].ok());
  CHECK(bench.deliveries().empty());
  REQUIRE(bench.disk.letters.size() == 3);
  for (const auto& known : bench.disk.letters) CHECK(known.second.error_code == "LoopDetected");
  CHECK(bench.disk.letters.at(3).target.rule == "-");
  CHECK(bench.disk.all<SettledRecord>().size() == 2);
}

TEST_CASE("an event that the journal cannot read any more is given up with that reason") {
  conga::bus::SidecarOptions options;
  options.cache_size = 0;
  SidecarBench bench(options);
  bench.table({target("charge", "payment")});
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.start();
  bench.disk.unreadable = 1;
  bench.generation = 0;
  with_payment(bench);
  REQUIRE(bench.node->wake_at() == bench.now.steady);
  REQUIRE(bench.turn());
  REQUIRE(bench.disk.letters.size() == 1);
  CHECK(bench.disk.letters.begin()->second.error_code == "EventUnreadable");
}

TEST_CASE("an instance that has left loses its deliveries to another at once") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.ready("payment", "p2");
  bench.frame("link/gone/payment/p1", "");
  REQUIRE(bench.turn());
  REQUIRE(bench.deliveries("deliver/payment/p2").size() == 1);
  CHECK(bench.deliveries("deliver/payment/p2")[0].attempt == 2);
}

TEST_CASE("deliveries are batched per instance up to the size of a frame") {
  conga::bus::SidecarOptions options;
  options.frame_size = 1000;
  SidecarBench bench(options);
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1", 100);
  for (int count = 0; count < 50; ++count) bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() == 50);
  for (const auto& frame : bench.sent) CHECK(frame.body.size() < 1300);
}

TEST_CASE("a turn delivers a bounded number of bytes and goes on at once") {
  conga::bus::SidecarOptions options;
  options.turn_size = 500;
  SidecarBench bench(options);
  bench.table({target("charge", "payment")});
  bench.ready("payment", "p1", 100);
  for (int count = 0; count < 20; ++count) bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() < 10);
  CHECK(*bench.node->wake_at() == bench.now.steady);
  std::size_t delivered = bench.deliveries().size();
  for (int turn = 0; turn < 20; ++turn) {
    REQUIRE(bench.turn());
    delivered += bench.deliveries().size();
  }
  CHECK(delivered == 20);
}

TEST_CASE("while the disk takes long nothing is promised, and what is durable goes on") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  const auto first = bench.deliveries();
  REQUIRE(first.size() == 1);

  bench.disk.slow = true;
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.sent.empty());
  bench.route(bench.make_event());
  bench.settle(first[0].id, Outcome::Retry);
  bench.pass(1s);
  REQUIRE(bench.turn());
  // The retry of what is durable; no answer, no other delivery, and no heartbeat that would make
  // the forwarder send more.
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].attempt == 2);
  CHECK(bench.results().empty());
  CHECK(bench.on(conga::bus::kAliveTopic).empty());

  bench.disk.slow = false;
  REQUIRE(bench.turn());
  CHECK(bench.results().size() == 2);
  CHECK(bench.deliveries().size() == 2);
  CHECK(bench.alive().accepted == 3);
}

TEST_CASE("a new forwarder is told nothing of what another one handed over") {
  SidecarBench bench;
  with_payment(bench);
  bench.disk.slow = true;
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.frame(std::string(conga::bus::kTableTopic),
              encode(conga::bus::LinkTable{
                  .boot = 78, .generation = 1, .targets = {target("charge", "payment")}}));
  bench.disk.slow = false;
  REQUIRE(bench.turn());
  CHECK(bench.results().size() == 1);
  CHECK(bench.alive().forwarder_boot == 78);
  CHECK(bench.alive().accepted == 0);
}

TEST_CASE("a commit that fails after its turn ends the sidecar") {
  SidecarBench bench;
  with_payment(bench);
  bench.disk.slow = true;
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.disk.slow = false;
  bench.disk.sync_fails = true;
  CHECK_FALSE(bench.turn());
  CHECK(bench.results().empty());
}

TEST_CASE("garbage on the link is counted and does no harm") {
  SidecarBench bench;
  with_payment(bench);
  for (const char* topic : {"link/table",
                            "link/routed",
                            "link/gone/x",
                            "ready/payment/p1",
                            "settle/payment/p1",
                            "ask/cli-1",
                            "put/web-1",
                            "",
                            "nonsense"}) {
    bench.frame(topic, "\xc1garbage");
  }
  bench.route(bench.make_event(), {99});
  const std::string event = bench.make_event();
  const std::string routed = encode(conga::bus::testing::with_event(
      {.boot = 77, .generation = bench.generation, .sequence = ++bench.sequence, .client = "web-1"},
      event));
  bench.frame("link/routed", routed.substr(1));
  bench.ask("sidecar.status");
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), "\"malformed\":11"));
  CHECK(bench.results().empty());
}

TEST_CASE("status tells backlog, instances and counters") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.pass(250ms);
  bench.ask("sidecar.status");
  REQUIRE(bench.turn());
  const std::string status = bench.answer();
  CHECK(contains(status, R"("version":"0.1.0","uptime":"250ms")"));
  CHECK(contains(status, R"("rule":"charge","target":"payment","service":"payment","state":"ok")"));
  CHECK(contains(status, R"("pending":1,"catching-up":0,"held":0,"ready":0)"));
  CHECK(contains(status, R"("in-flight":1,"oldest":"250ms")"));
  CHECK(contains(status, R"("instance":"p1","credit":10,"in-flight":1,"last-heard":"250ms")"));
  CHECK(contains(status, R"("accepted":1,"duplicates":0,"dispatched":1)"));
}

TEST_CASE("dead letters are listed, shown and purged") {
  SidecarBench bench;
  with_payment(bench);
  for (const char* flow : {"B1", "B2", "B3"}) bench.route(bench.make_event(flow));
  REQUIRE(bench.turn());
  for (const auto& delivery : bench.deliveries()) bench.settle(delivery.id, Outcome::Reject);
  REQUIRE(bench.turn());

  bench.ask("dlq.list", R"({"limit":2})");
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("count":3)"));
  CHECK(contains(bench.answer(), R"("correlation-id":"B2")"));
  CHECK_FALSE(contains(bench.answer(), R"("correlation-id":"B3")"));

  bench.ask("dlq.show", R"({"numbers":[3]})");
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("error-code":"Declined")"));
  CHECK(contains(bench.answer(), R"("attempts":[],"event":{"id":)"));

  bench.ask("dlq.list", R"({"numbers":[3],"events":true})");
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), R"("event":{"id":)"));

  bench.ask("dlq.show", R"({"numbers":[9]})");
  REQUIRE(bench.turn());
  CHECK(bench.answer() == "NotFound: there is no dead letter 9");

  bench.ask("dlq.purge", R"({"correlation-id":"B2"})");
  REQUIRE(bench.turn());
  CHECK(bench.answer() == R"({"purged":1})");
  CHECK(bench.disk.synced_letters.size() == 2);

  bench.ask("dlq.purge", R"({"correlation-id":"B2"})");
  REQUIRE(bench.turn());
  CHECK(bench.answer() == R"({"purged":1})");  // the same question, asked again

  bench.ask("dlq.purge", R"({})", 2);
  REQUIRE(bench.turn());
  CHECK(contains(bench.answer(), "InvalidArguments: say which"));
  bench.ask("dlq.purge", R"({"all":true})", 3);
  REQUIRE(bench.turn());
  CHECK(bench.answer() == R"({"purged":2})");
}

TEST_CASE("unknown verbs and bad arguments are refused with their reason") {
  SidecarBench bench;
  const auto refusal = [&](const char* verb, const char* arguments) {
    bench.ask(verb, arguments);
    REQUIRE(bench.turn());
    return bench.answer();
  };
  CHECK(contains(refusal("dance", "{}"), "UnknownVerb: 'dance'"));
  CHECK(contains(refusal("dlq.list", R"({"rulle":"x"})"), "InvalidArguments: 'rulle'"));
  CHECK(contains(refusal("dlq.list", R"({"limit":0})"), "InvalidArguments: limit"));
  CHECK(contains(refusal("dlq.list", R"({"numbers":["a"]})"), "InvalidArguments: numbers"));
  CHECK(contains(refusal("dlq.show", "{}"), "InvalidArguments: numbers"));
  CHECK(contains(refusal("trace", "{}"), "InvalidArguments: id"));
  CHECK(contains(refusal("trace", R"({"id":"x"})"), "Unavailable: "));
  CHECK(contains(refusal("dlq.redrive", R"({"all":true,"rule":"x"})"), "contradict"));
  CHECK(contains(refusal("dlq.redrive", R"({"all":true,"rate":-1})"), "rate must be an integer"));
  CHECK(contains(refusal("dlq.cancel", "{}"), "InvalidArguments: task must be the number"));
  CHECK(contains(refusal("dlq.cancel", R"({"task":7})"), "NotFound: there is no redrive 7"));
  CHECK(contains(refusal("audit.list", "{}"), "Unavailable: this sidecar keeps no audit"));
}

TEST_CASE("draining refuses puts, sends nothing new and waits for what is in flight") {
  SidecarBench bench;
  with_payment(bench);
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  const auto id = bench.deliveries().at(0).id;
  bench.node->drain(bench.now);
  CHECK_FALSE(bench.node->drained());
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.results().at(0).code == "Unavailable");
  SUBCASE("until it is settled") {
    bench.settle(id, Outcome::Ok);
    REQUIRE(bench.turn());
    CHECK(bench.disk.all<SettledRecord>().size() == 1);
  }
  SUBCASE("or its patience ends") {
    bench.pass(2s);
    REQUIRE(bench.turn());
  }
  CHECK(bench.node->drained());
}

TEST_CASE("targets are paused by name, refused when unknown, and resumed") {
  SidecarBench bench;
  bench.ask("target.pause", R"({"target": "payment"})");
  REQUIRE(bench.turn());
  CHECK(bench.answer().starts_with("Unavailable: "));
  bench.table({target("r1", "payment"), target("r2", "payment")});
  bench.ready("payment", "p1");
  bench.ask("target.pause", R"({"target": "payment", "rule": "r1"})");
  bench.route(bench.make_event(), {0, 1});
  REQUIRE(bench.turn());
  CHECK(bench.answer() == R"({"targets":[{"rule":"r1","target":"payment","paused":true}]})");
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].rule == "r2");
  bench.ask("sidecar.status");
  REQUIRE(bench.turn());
  CHECK(bench.answer().find(R"("state":"paused")") != std::string::npos);
  for (const char* wrong : {R"({})", R"({"target": 1})", R"({"target": "payment", "rul": "r1"})"}) {
    bench.ask("target.pause", wrong);
    REQUIRE(bench.turn());
    CHECK(bench.answer().starts_with("InvalidArguments: "));
  }
  bench.ask("target.resume", R"({"target": "shipping"})");
  REQUIRE(bench.turn());
  CHECK(bench.answer().starts_with("NotFound: "));
  bench.ask("target.resume", R"({"target": "payment"})");
  REQUIRE(bench.turn());
  REQUIRE(bench.deliveries().size() == 1);
  CHECK(bench.deliveries()[0].rule == "r1");
}

TEST_CASE("a target stays paused over a restart, and over a crash of the machine") {
  conga::testing::MemFiles files;
  REQUIRE(files.make_directory("/data"));
  SidecarBench bench;
  const auto fake = bench.stores;
  bench.stores = [&] {
    conga::bus::SidecarStores made = fake();
    made.open_paused = [&] { return conga::bus::PausedTargets::open(files, "/data"); };
    return made;
  };
  bench.start();
  bench.table({target("r1", "payment")});
  bench.ask("target.pause", R"({"target": "payment"})");
  REQUIRE(bench.turn());
  const auto restart = [&] {
    bench.node.reset();
    files.crash();
    bench.start();
    bench.generation = 0;
    bench.table({target("r1", "payment")});
    bench.ready("payment", "p1");
    bench.route(bench.make_event());
    REQUIRE(bench.turn());
  };
  restart();
  CHECK(bench.deliveries().empty());
  bench.ask("target.resume", R"({"target": "payment"})");
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() == 1);
  restart();
  CHECK_FALSE(bench.deliveries().empty());
}

TEST_CASE("a target may limit how many of its deliveries are in one message") {
  SidecarBench bench;
  LinkTarget batched = target("r1", "payment");
  batched.limits.batch = 2;
  bench.table({batched});
  bench.ready("payment", "p1");
  for (int count = 0; count < 5; ++count) bench.route(bench.make_event());
  REQUIRE(bench.turn());
  CHECK(bench.deliveries().size() == 5);
  const auto frames = std::count_if(bench.sent.begin(), bench.sent.end(), [](const auto& frame) {
    return frame.topic == "deliver/payment/p1";
  });
  CHECK(frames == 3);
}

TEST_CASE("a dead letter that cannot be stored at once is a failed invocation, once") {
  SidecarBench bench;
  bench.table({target("r1", "payment")});
  bench.ready("payment", "p1");
  bench.route(bench.make_event());
  REQUIRE(bench.turn());
  bench.disk.letters_full = true;
  bench.settle(bench.deliveries().at(0).id, Outcome::Reject);
  REQUIRE(bench.turn());
  bench.pass(2s);
  REQUIRE(bench.turn());
  bench.disk.letters_full = false;
  bench.pass(2s);
  REQUIRE(bench.turn());
  conga::MetricsPage page;
  bench.node->measure(bench.now, page);
  const auto value = [&page](std::string_view name) {
    for (const conga::MetricFamily& family : page.families()) {
      if (family.name == name) return family.samples.at(0).value;
    }
    return -1.0;
  };
  CHECK(value("conga_failed_invocations_total") == 1);
  CHECK(value("conga_invocations_failed_to_be_sent_to_dlq_total") == 2);
  CHECK(value("conga_invocations_sent_to_dlq_total") == 1);
  CHECK(value("conga_invocations_total") == 1);
}
