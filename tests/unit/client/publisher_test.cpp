// SPDX-License-Identifier: Apache-2.0

#include "common/client/publisher.h"

#include "common/core/random.h"
#include "common/wire/event/event.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <vector>

using conga::Frame;
using conga::Publisher;
using conga::PublisherOptions;
using conga::Time;
using conga::Uuid;
using namespace std::chrono_literals;

namespace {

Time at(conga::Duration since_start) {
  return {conga::SteadyTime(1h + since_start), conga::WallTime(1000h + since_start)};
}

Uuid id_of(std::uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

std::string event_of(const Uuid& id) {
  return conga::encode({.id = id,
                        .source = "test",
                        .detail_type = "Happened",
                        .time = {},
                        .resources = {},
                        .detail = {},
                        .correlation_id = {},
                        .causation_id = {},
                        .hops = 0,
                        .traceparent = {},
                        .key = {}});
}

void offer(Publisher& publisher, std::uint8_t number) {
  publisher.offer(id_of(number), event_of(id_of(number)));
}

std::vector<Frame> collect(Publisher& publisher, conga::Duration now) {
  std::vector<Frame> out;
  publisher.collect(at(now), out);
  return out;
}

/// The ids in all put frames of `frames`, in order.
std::vector<Uuid> ids_in(const std::vector<Frame>& frames) {
  std::vector<Uuid> ids;
  for (const Frame& frame : frames) {
    std::string_view rest = frame.body;
    while (!rest.empty()) {
      const auto value = conga::Value::take(rest);
      REQUIRE(value);
      ids.push_back(*Uuid::parse(*value->find("id")->string()));
    }
  }
  return ids;
}

std::string result(std::uint8_t number, const std::string& code) {
  std::string body;
  conga::append(
      body,
      conga::PutResult{
          .event_id = id_of(number).text(), .code = code, .message = code.empty() ? "" : "why"});
  return body;
}

}  // namespace

TEST_CASE("nothing is put before the bus has answered hello") {
  Publisher publisher("p-1", {});
  offer(publisher, 1);
  CHECK(collect(publisher, 0s).empty());
  CHECK_FALSE(publisher.wake_at());
  publisher.set_online(true);
  const auto frames = collect(publisher, 0s);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].channel == conga::Channel::Bus);
  CHECK(frames[0].topic == "put/p-1");
  CHECK(frames[0].body == event_of(id_of(1)));
}

TEST_CASE("events offered in one turn are put in one message") {
  Publisher publisher("p", {});
  publisher.set_online(true);
  for (std::uint8_t number = 1; number <= 3; ++number) offer(publisher, number);
  const auto frames = collect(publisher, 0s);
  CHECK(frames.size() == 1);
  CHECK(ids_in(frames) == std::vector{id_of(1), id_of(2), id_of(3)});
}

TEST_CASE("a put message stays below the batch size, unless one event is larger") {
  const std::size_t size = event_of(id_of(1)).size();
  Publisher publisher("p", {.batch_bytes = 2 * size});
  publisher.set_online(true);
  for (std::uint8_t number = 1; number <= 5; ++number) offer(publisher, number);
  CHECK(collect(publisher, 0s).size() == 3);

  Publisher small("p", {.batch_bytes = 1});
  small.set_online(true);
  offer(small, 1);
  offer(small, 2);
  CHECK(collect(small, 0s).size() == 2);
}

TEST_CASE("an unanswered event is put again with the same id, more and more seldom") {
  Publisher publisher("p", {.retransmit_initial = 1s, .retransmit_max = 3s});
  publisher.set_online(true);
  offer(publisher, 1);
  CHECK(collect(publisher, 0s).size() == 1);
  CHECK(publisher.wake_at() == at(1s).steady);
  CHECK(collect(publisher, 999ms).empty());
  CHECK(ids_in(collect(publisher, 1s)) == std::vector{id_of(1)});
  CHECK(publisher.wake_at() == at(3s).steady);
  CHECK(collect(publisher, 3s).size() == 1);
  CHECK(publisher.wake_at() == at(6s).steady);
  CHECK(collect(publisher, 6s).size() == 1);
  CHECK(publisher.wake_at() == at(9s).steady);
  CHECK(publisher.retransmissions() == 3);
  CHECK(publisher.in_window() == 1);
}

TEST_CASE("an accepted event leaves the window and is reported once") {
  Publisher publisher("p", {});
  publisher.set_online(true);
  offer(publisher, 1);
  offer(publisher, 2);
  collect(publisher, 0s);
  publisher.on_put_results(at(1ms), result(1, "") + result(1, ""));
  const auto results = publisher.take_results();
  REQUIRE(results.size() == 1);
  CHECK(results[0].ok());
  CHECK(results[0].event_id == id_of(1).text());
  CHECK(publisher.take_results().empty());
  CHECK(publisher.in_window() == 1);
  CHECK(ids_in(collect(publisher, 1s)) == std::vector{id_of(2)});
}

TEST_CASE("an event refused for good leaves the window with its reason") {
  Publisher publisher("p", {});
  publisher.set_online(true);
  offer(publisher, 1);
  collect(publisher, 0s);
  publisher.on_put_results(at(1ms), result(1, "InvalidEvent"));
  const auto results = publisher.take_results();
  REQUIRE(results.size() == 1);
  CHECK(results[0].code == "InvalidEvent");
  CHECK(results[0].message == "why");
  CHECK(publisher.in_window() == 0);
  CHECK_FALSE(publisher.wake_at());
}

TEST_CASE("an event refused as retryable stays and is put again after the back-off") {
  for (const char* const code : {"Unavailable", "JournalFull"}) {
    Publisher publisher("p", {});
    publisher.set_online(true);
    offer(publisher, 1);
    collect(publisher, 0s);
    publisher.on_put_results(at(1ms), result(1, code));
    CHECK(publisher.take_results().empty());
    CHECK(collect(publisher, 500ms).empty());
    CHECK(collect(publisher, 1s).size() == 1);
  }
}

TEST_CASE("an event is taken on once while it is in the window") {
  Publisher publisher("p", {.window = 2});
  publisher.set_online(true);
  offer(publisher, 1);
  offer(publisher, 1);
  CHECK(publisher.in_window() == 1);
  CHECK(publisher.has_room());
  offer(publisher, 2);
  CHECK_FALSE(publisher.has_room());
  offer(publisher, 2);
  CHECK(collect(publisher, 0s).size() == 1);
  publisher.on_put_results(at(0s), result(2, ""));
  CHECK(publisher.has_room());
}

TEST_CASE("broken and foreign results change nothing") {
  Publisher publisher("p", {});
  publisher.set_online(true);
  offer(publisher, 1);
  collect(publisher, 0s);
  publisher.on_put_results(at(0s), result(9, ""));
  publisher.on_put_results(at(0s), std::string("\xc1\xff", 2));
  publisher.on_put_results(at(0s), result(7, "") + "\xc1");
  CHECK(publisher.in_window() == 1);
  CHECK(publisher.take_results().empty());
}

TEST_CASE("going offline keeps the window; what is due goes out when online again") {
  Publisher publisher("p", {});
  publisher.set_online(true);
  offer(publisher, 1);
  collect(publisher, 0s);
  publisher.set_online(false);
  CHECK(collect(publisher, 5s).empty());
  publisher.set_online(true);
  CHECK(collect(publisher, 5s).size() == 1);
}

TEST_CASE("with any answers lost, every event is put until answered and none after") {
  rc::check([](const std::vector<std::uint8_t>& numbers, std::uint64_t seed) {
    conga::Random random(seed);
    Publisher publisher("p", {.window = 256});
    publisher.set_online(true);
    std::map<Uuid, bool> answered;
    for (const std::uint8_t number : numbers) {
      offer(publisher, number);
      answered.emplace(id_of(number), false);
    }
    conga::Duration now = 0s;
    while (publisher.in_window() > 0) {
      for (const Uuid& id : ids_in(collect(publisher, now))) {
        RC_ASSERT(!answered.at(id));
        if (random.chance(0.3)) continue;  // the answer is lost
        publisher.on_put_results(at(now), result(id.bytes[15], ""));
        answered.at(id) = true;
      }
      const auto wake = publisher.wake_at();
      RC_ASSERT(wake.has_value() == (publisher.in_window() > 0));
      if (wake) now = *wake - at(0s).steady;
    }
    RC_ASSERT(publisher.take_results().size() == answered.size());
  });
}
