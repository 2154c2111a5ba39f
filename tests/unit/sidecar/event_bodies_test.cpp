// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/event_bodies.h"

#include "tests/support/fake_store.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using conga::bus::EventBodies;
using conga::bus::EventRef;
using conga::bus::testing::FakeDisk;
using conga::bus::testing::FakeStore;

namespace {

class NoVisitor final : public conga::bus::RecoveryVisitor {
  void on_recent_event(std::string_view /*event*/, conga::WallTime /*ingested*/) override {}

  void on_pending(const conga::bus::PendingDelivery& /*delivery*/) override {}
};

/// Every event is in the store in capitals, so that one sees where it was read.
struct Bench {
  FakeDisk disk;
  NoVisitor visitor;
  FakeStore store{disk, visitor};
  EventBodies bodies{store, 100};

  EventRef come(const std::string& message, std::size_t deliveries) {
    const std::string_view kept = bodies.keep(message);
    const auto ref = store.append(conga::WallTime(), {}, "FROM THE STORE");
    bodies.remember(ref->sequence, kept, deliveries);
    return *ref;
  }

  std::string read(const EventRef& ref) { return std::string(*bodies.read(ref)); }
};

}  // namespace

TEST_CASE("an event is in memory until it has been sent everywhere, and can be read afterwards") {
  Bench bench;
  const EventRef first = bench.come("first", 2);
  const EventRef second = bench.come("second", 1);
  CHECK(bench.read(first) == "first");
  bench.bodies.sent(first.sequence);
  CHECK(bench.read(first) == "first");
  bench.bodies.sent(first.sequence);
  CHECK(bench.read(first) == "FROM THE STORE");
  bench.bodies.sent(first.sequence);
  // The newest is kept, for its message may be looked at still.
  bench.bodies.sent(second.sequence);
  CHECK(bench.read(second) == "second");
  const EventRef third = bench.come("third", 1);
  CHECK(bench.read(second) == "FROM THE STORE");
  CHECK(bench.read(third) == "third");
}

TEST_CASE("the oldest events make room for the newest, sent or not") {
  Bench bench;
  const EventRef first = bench.come(std::string(60, 'a'), 1);
  const EventRef second = bench.come(std::string(60, 'b'), 1);
  CHECK(bench.read(first) == "FROM THE STORE");
  CHECK(bench.read(second) == std::string(60, 'b'));
  const EventRef large = bench.come(std::string(600, 'c'), 1);
  CHECK(bench.read(second) == "FROM THE STORE");
  CHECK(bench.read(large) == std::string(600, 'c'));
  bench.bodies.sent(first.sequence);
}
