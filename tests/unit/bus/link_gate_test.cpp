// SPDX-License-Identifier: Apache-2.0

#include "bus/link_gate.h"

#include <doctest/doctest.h>

using conga::bus::LinkAlive;
using conga::bus::LinkGate;
using State = LinkGate::State;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kBoot = 7;

conga::Time at(conga::Duration since_start) {
  return {conga::SteadyTime(1h + since_start), conga::WallTime(1000h + since_start)};
}

LinkAlive alive(std::uint64_t accepted, std::uint64_t boot = 1) {
  return {.boot = boot, .forwarder_boot = kBoot, .generation = 1, .accepted = accepted};
}

LinkGate gate() {
  return {kBoot, {.window = 100, .patience = 100ms, .timeout = 1s, .repeat_table = 100ms}};
}

}  // namespace

TEST_CASE("the link is down until the sidecar is heard of, and when it falls silent") {
  LinkGate link = gate();
  link.advance(at(0s));
  CHECK(link.state() == State::Down);
  CHECK_FALSE(link.wake_at());
  link.on_alive(at(1s), alive(0), 1);
  CHECK(link.state() == State::Open);
  CHECK(link.wake_at() == at(2s).steady);
  link.advance(at(1999ms));
  CHECK(link.state() == State::Open);
  link.advance(at(2s));
  CHECK(link.state() == State::Down);
}

TEST_CASE("a full window holds publishers back for a moment, then they are refused") {
  LinkGate link = gate();
  link.on_alive(at(0s), alive(0), 1);
  CHECK(link.send(at(0s), 60) == 1);
  CHECK(link.state() == State::Open);
  CHECK(link.send(at(0s), 60) == 2);
  CHECK(link.state() == State::Full);
  CHECK(link.wake_at() == at(100ms).steady);
  link.advance(at(99ms));
  CHECK(link.state() == State::Full);
  link.advance(at(100ms));
  CHECK(link.state() == State::Stuck);
  link.on_alive(at(200ms), alive(1), 1);
  CHECK(link.state() == State::Open);
  CHECK(link.in_window() == 60);
  link.on_alive(at(200ms), alive(2), 1);
  CHECK(link.is_empty());
  CHECK(link.in_window() == 0);
}

TEST_CASE("the table is sent to a sidecar that does not know it, not more often than needed") {
  LinkGate link = gate();
  const LinkAlive unknown{.boot = 1, .forwarder_boot = 0, .generation = 0, .accepted = 0};
  CHECK(link.on_alive(at(0s), unknown, 1));
  CHECK_FALSE(link.on_alive(at(50ms), unknown, 1));
  CHECK(link.on_alive(at(100ms), unknown, 1));
  CHECK_FALSE(link.on_alive(at(300ms), alive(0), 1));
  link.on_table_sent(at(400ms));
  CHECK_FALSE(link.on_alive(at(450ms), alive(0), 2));
  CHECK(link.on_alive(at(500ms), alive(0), 2));
}

TEST_CASE("a reborn sidecar gets the table at once and an empty window") {
  LinkGate link = gate();
  link.on_alive(at(0s), alive(0), 1);
  link.send(at(0s), 500);
  const LinkAlive reborn{.boot = 2, .forwarder_boot = 0, .generation = 0, .accepted = 0};
  CHECK(link.on_alive(at(10ms), reborn, 1));
  CHECK(link.is_empty());
  CHECK(link.resets() == 1);
  CHECK(link.state() == State::Open);
}

TEST_CASE("acknowledgements meant for another forwarder's batches free nothing") {
  LinkGate link = gate();
  link.on_alive(at(0s), alive(0), 1);
  link.send(at(0s), 500);
  const LinkAlive foreign{.boot = 1, .forwarder_boot = 6, .generation = 1, .accepted = 900};
  link.on_alive(at(10ms), foreign, 1);
  CHECK_FALSE(link.is_empty());
}

TEST_CASE("batches that a living sidecar never accounts for are given up after the timeout") {
  LinkGate link = gate();
  link.on_alive(at(0s), alive(0), 1);
  link.send(at(0s), 500);
  for (auto now = 100ms; now < 1s; now += 100ms) link.on_alive(at(now), alive(0), 1);
  CHECK(link.state() == State::Stuck);
  link.on_alive(at(1s), alive(0), 1);
  CHECK(link.state() == State::Open);
  CHECK(link.resets() == 1);
}
