// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/link.h"

#include "common/wire/event/packer.h"
#include "tests/support/routed_event.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using conga::Duration;
using conga::bus::LinkAlive;
using conga::bus::LinkMatch;
using conga::bus::LinkMatched;
using conga::bus::LinkRouted;
using conga::bus::LinkTable;
using conga::bus::LinkTarget;
using conga::bus::RetryPolicy;
using conga::bus::testing::with_event;

namespace {

/// Text that msgpack may carry: Value refuses what is not UTF-8.
std::string any_text() {
  return *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
}

Duration any_duration() {
  return Duration(*rc::gen::inRange<std::int64_t>(0, 100'000'000'000));
}

LinkTarget any_target() {
  LinkTarget target;
  target.rule = any_text();
  target.target = any_text();
  target.service = any_text();
  target.ordering = any_text();
  if (*rc::gen::arbitrary<bool>()) {
    target.start = conga::WallTime(Duration(*rc::gen::arbitrary<std::int64_t>()));
  }
  target.limits.max_in_flight = *rc::gen::inRange(0U, 3U);
  target.limits.rate = *rc::gen::inRange(0U, 100'000U);
  target.limits.batch = *rc::gen::inRange(0U, 3U);
  target.retry.max_attempts = *rc::gen::arbitrary<std::uint32_t>();
  target.retry.max_age = any_duration();
  target.retry.backoff_initial = any_duration();
  target.retry.backoff_factor = 1.0 + *rc::gen::inRange(0, 1000) / 7.0;
  target.retry.backoff_max = any_duration();
  target.retry.ack_timeout = any_duration();
  target.retry.jitter = *rc::gen::element(RetryPolicy::Jitter::None, RetryPolicy::Jitter::Full);
  return target;
}

std::string any_event() {
  std::string bytes;
  conga::Packer(bytes)
      .map(2)
      .key("id")
      .string(conga::Uuid::v5({}, any_text()).text())
      .key("x")
      .integer(*rc::gen::arbitrary<std::int64_t>());
  return bytes;
}

std::string an_event() {
  std::string bytes;
  conga::Packer(bytes).map(1).key("id").string(conga::Uuid().text());
  return bytes;
}

}  // namespace

TEST_CASE("any table reads back as it was written") {
  CHECK(rc::check([] {
    LinkTable table{.boot = *rc::gen::arbitrary<std::uint64_t>(),
                    .generation = *rc::gen::arbitrary<std::uint64_t>(),
                    .targets = {}};
    const int targets = *rc::gen::inRange(0, 5);
    for (int at = 0; at < targets; ++at) table.targets.push_back(any_target());
    const int archives = *rc::gen::inRange(0, 3);
    for (int at = 0; at < archives; ++at) {
      table.archives.push_back({.name = "archive-" + std::to_string(at),
                                .retention = {.age = std::chrono::hours(at), .bytes = 7U}});
    }
    const auto read = conga::bus::read_table(encode(table));
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->boot == table.boot);
    RC_ASSERT(read->generation == table.generation);
    RC_ASSERT(read->targets == table.targets);
    RC_ASSERT(read->archives == table.archives);
  }));
}

TEST_CASE("any heartbeat reads back as it was written") {
  CHECK(rc::check([](std::uint64_t boot, std::uint64_t forwarder, std::uint64_t accepted) {
    const LinkAlive alive{
        .boot = boot, .forwarder_boot = forwarder, .generation = 7, .accepted = accepted};
    const auto read = conga::bus::read_alive(encode(alive));
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->boot == boot);
    RC_ASSERT(read->forwarder_boot == forwarder);
    RC_ASSERT(read->generation == 7U);
    RC_ASSERT(read->accepted == accepted);
  }));
}

TEST_CASE("any routed batch reads back as it was written, the events byte for byte") {
  CHECK(rc::check([] {
    const int count = *rc::gen::inRange(0, 5);
    std::vector<std::string> events;
    for (int at = 0; at < count; ++at) events.push_back(any_event());
    const std::string client = any_text();
    LinkRouted routed{.boot = *rc::gen::arbitrary<std::uint64_t>(),
                      .generation = 3,
                      .sequence = *rc::gen::arbitrary<std::uint64_t>(),
                      .client = client,
                      .events = {}};
    for (const std::string& event : events) {
      const auto targets = *rc::gen::arbitrary<std::vector<std::uint32_t>>();
      routed = with_event(std::move(routed), event, targets, *rc::gen::arbitrary<bool>());
    }
    const std::string body = encode(routed);
    const auto read = conga::bus::read_routed(body);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->boot == routed.boot);
    RC_ASSERT(read->sequence == routed.sequence);
    RC_ASSERT(read->client == client);
    RC_ASSERT(read->events.size() == routed.events.size());
    for (std::size_t at = 0; at < events.size(); ++at) {
      RC_ASSERT(read->events[at].event == events[at]);
      RC_ASSERT(read->events[at].id == routed.events[at].id);
      RC_ASSERT(read->events[at].id_text == routed.events[at].id_text);
      RC_ASSERT(read->events[at].loop == routed.events[at].loop);
      RC_ASSERT(std::ranges::equal(read->targets_of(read->events[at]),
                                   routed.targets_of(routed.events[at])));
    }
  }));
}

TEST_CASE("any question about the past and its answer read back as they were written") {
  CHECK(rc::check([] {
    const int count = *rc::gen::inRange(0, 5);
    std::vector<std::string> events;
    for (int at = 0; at < count; ++at) events.push_back(any_event());
    const LinkMatch match{.boot = *rc::gen::arbitrary<std::uint64_t>(),
                          .generation = *rc::gen::arbitrary<std::uint64_t>(),
                          .ticket = *rc::gen::arbitrary<std::uint64_t>(),
                          .target = *rc::gen::arbitrary<std::uint32_t>(),
                          .events = {events.begin(), events.end()}};
    const std::string asked = encode(match);
    const auto read = conga::bus::read_match(asked);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->boot == match.boot);
    RC_ASSERT(read->generation == match.generation);
    RC_ASSERT(read->ticket == match.ticket);
    RC_ASSERT(read->target == match.target);
    RC_ASSERT(read->events == match.events);

    LinkMatched matched{
        .boot = match.boot, .generation = match.generation, .ticket = match.ticket, .indexes = {}};
    for (std::uint32_t index = 0; index < 100; index += *rc::gen::inRange(1U, 40U)) {
      matched.indexes.push_back(index);
    }
    const std::string answered = encode(matched);
    const auto answer = conga::bus::read_matched(answered);
    RC_ASSERT(answer.has_value());
    RC_ASSERT(answer->boot == matched.boot);
    RC_ASSERT(answer->generation == matched.generation);
    RC_ASSERT(answer->ticket == matched.ticket);
    RC_ASSERT(answer->indexes == matched.indexes);
    for (std::size_t size = 0; size < answered.size(); ++size) {
      RC_ASSERT(!conga::bus::read_matched(std::string_view(answered).substr(0, size)));
    }
  }));
  const LinkMatched twice{.boot = 1, .generation = 2, .ticket = 3, .indexes = {4, 4}};
  CHECK_FALSE(conga::bus::read_matched(encode(twice)));
}

TEST_CASE("no prefix of a message is taken for the message") {
  const LinkTarget target{.rule = "charge",
                          .target = "payment",
                          .service = "payment",
                          .retry = {},
                          .ordering = "/detail/id"};
  const std::string table = encode(LinkTable{.boot = 1, .generation = 2, .targets = {target}});
  for (std::size_t size = 0; size < table.size(); ++size) {
    CHECK_FALSE(conga::bus::read_table(std::string_view(table).substr(0, size)));
  }
  const std::string event = an_event();
  const std::string routed =
      encode(with_event({.boot = 1, .generation = 2, .sequence = 3, .client = "c"}, event, {0}));
  for (std::size_t size = 0; size < routed.size(); ++size) {
    CHECK_FALSE(conga::bus::read_routed(std::string_view(routed).substr(0, size)));
  }
  CHECK_FALSE(conga::bus::read_table(table + table));
}

TEST_CASE("an archive of the table whose name could lead out of its folder is refused") {
  for (const char* name : {"", ".", "..", "../up", "a/b"}) {
    const LinkTable table{.boot = 1, .generation = 2, .targets = {}, .archives = {{.name = name}}};
    CHECK_FALSE(conga::bus::read_table(encode(table)));
  }
}

TEST_CASE("a table with a missing or wrong member names it") {
  std::string body;
  conga::Packer packer(body);
  packer.array(3).unsigned_integer(1).unsigned_integer(1).array(1).map(4);
  packer.key("rule").string("r").key("target").string("t").key("service").integer(5);
  packer.key("ordering").string("");
  const auto table = conga::bus::read_table(body);
  REQUIRE_FALSE(table);
  CHECK(table.error().code == "Malformed");
  CHECK(table.error().what.find("'service'") != std::string::npos);
}

TEST_CASE("events that are passed on lie in the put as they came, between others") {
  const std::string event = an_event();
  std::string put;
  put.reserve(1000);
  put.append("first").append(event).append("between").append(event).append("last");
  const char* const bytes = put.data();
  const std::string_view view = put;
  LinkRouted routed{.boot = 1, .generation = 2, .sequence = 3, .client = "c"};
  routed = with_event(std::move(routed), view.substr(5, event.size()), {7});
  routed = with_event(std::move(routed), view.substr(12 + event.size(), event.size()), {}, true);
  const std::string body = encode_behind(std::move(put), routed);
  CHECK(body.data() == bytes);
  const auto read = conga::bus::read_routed(body);
  REQUIRE(read);
  REQUIRE(read->events.size() == 2);
  CHECK(read->events[0].event == event);
  CHECK(read->events[0].event.data() == bytes + 5);
  CHECK(read->events[1].event == event);
  CHECK(read->events[1].loop);
  CHECK(read->targets == std::vector<std::uint32_t>{7});
}

TEST_CASE("a routed batch whose words do not fit its events is refused") {
  using Words = std::vector<std::uint32_t>;
  const auto batch = [](const Words& words, std::uint64_t events = 1, std::uint64_t more = 0) {
    std::string body = an_event();
    for (const std::uint32_t word : words) {
      body.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    std::string head;
    conga::Packer packer(head);
    packer.array(6).unsigned_integer(1).unsigned_integer(2).unsigned_integer(3).string("c");
    packer.unsigned_integer(events).unsigned_integer(words.size() + more);
    const auto size = static_cast<std::uint32_t>(head.size());
    return body + head + std::string(reinterpret_cast<const char*>(&size), sizeof size);
  };
  const auto size = static_cast<std::uint32_t>(an_event().size());
  const auto id_at = static_cast<std::uint32_t>(size - conga::Uuid::kTextSize);
  CHECK(conga::bus::read_routed(batch({0, size, id_at, 1, 0, 0, 0, 0, 5})));
  CHECK(conga::bus::read_routed(batch({}, 0)));
  for (const Words& words : {Words{0, size + 1, id_at, 0, 0, 0, 0, 0},
                             Words{1, size, id_at, 0, 0, 0, 0, 0},
                             Words{~0U, size, id_at, 0, 0, 0, 0, 0},
                             Words{0, ~0U, id_at, 0, 0, 0, 0, 0},
                             Words{0, size, id_at + 1, 0, 0, 0, 0, 0},
                             Words{0, size, ~0U, 0, 0, 0, 0, 0},
                             Words{0, 35, 0, 0, 0, 0, 0, 0},
                             Words{0, size, id_at, 2, 0, 0, 0, 0, 5},
                             Words{0, size, id_at, 0x7fff'ffff, 0, 0, 0, 0, 5},
                             Words{0, size, id_at, 0, 0, 0, 0, 0, 5},
                             Words{0, size, id_at, 0, 0, 0, 0}}) {
    CHECK_FALSE(conga::bus::read_routed(batch(words)));
  }
  const Words good{0, size, id_at, 0, 0, 0, 0, 0};
  CHECK_FALSE(conga::bus::read_routed(batch(good, 0)));
  CHECK_FALSE(conga::bus::read_routed(batch(good, 2)));
  CHECK_FALSE(conga::bus::read_routed(batch(good, ~std::uint64_t{0})));
  CHECK_FALSE(conga::bus::read_routed(batch(good, 1, 1000)));
  CHECK_FALSE(conga::bus::read_routed(batch(good, 1, ~std::uint64_t{0} >> 2U)));
}
