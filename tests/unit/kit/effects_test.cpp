// SPDX-License-Identifier: Apache-2.0

#include "services/kit/effect_runner.h"
#include "tests/unit/kit/rig.h"

#include <doctest/doctest.h>

#include <array>
#include <poll.h>
#include <set>
#include <string>

using conga::Settlement;
using conga::kit::EffectRunner;
using conga::kit::EffectWorkers;
using conga::kit::test::EffectsByHand;
using conga::kit::test::make_event;
using conga::kit::test::Rig;

namespace {

EffectsByHand& by_hand(Rig& rig) {
  return dynamic_cast<EffectsByHand&>(*rig.effects);
}

/// Answers with the effect's key.
class Echo final : public conga::kit::Handlers {
public:
  const conga::kit::Manifest& manifest() const override {
    static const conga::kit::Manifest kManifest;
    return kManifest;
  }

  conga::Result<> migrate() override { return {}; }

  conga::Result<conga::kit::Decision> handle(const conga::EventView& /*event*/,
                                             const conga::Time& /*now*/) override {
    return conga::kit::Decision();
  }

  conga::Result<std::string> perform(const conga::kit::Effect& effect) override {
    return effect.key;
  }
};

}  // namespace

TEST_CASE("an event whose effect takes its time is settled when that ends, others go on") {
  Rig rig(true);
  rig.deliver(1, make_event("a", "Effect"));
  rig.deliver(2, make_event("b"));
  rig.turn();
  CHECK(rig.settlements().size() == 1);
  CHECK(rig.settlements().contains(2));
  REQUIRE(by_hand(rig).started.size() == 1);
  by_hand(rig).finished.push_back({.ticket = by_hand(rig).started[0], .answer = {}});
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Ok);
  REQUIRE(rig.puts().size() == 1);
  CHECK(rig.puts()[0].detail_type == "Completed");
}

TEST_CASE("an event that comes again while its effect is under way starts no second one") {
  Rig rig(true);
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  rig.deliver(2, make_event("a", "Effect"));
  rig.turn();
  REQUIRE(by_hand(rig).started.size() == 1);
  by_hand(rig).finished.push_back({.ticket = by_hand(rig).started[0], .answer = {}});
  rig.turn();
  CHECK(rig.settlements().size() == 2);
  CHECK(rig.puts().size() == 1);
}

TEST_CASE("draining, it waits for effects that are under way") {
  Rig rig(true);
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  rig.node->drain(rig.now);
  rig.turn();
  CHECK_FALSE(rig.node->drained());
}

TEST_CASE("an effect that was under way at a crash is begun again by the next delivery") {
  Rig rig(true);
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  rig.start();
  rig.deliver(2, make_event("a", "Effect"));
  rig.turn();
  CHECK(by_hand(rig).started.size() == 1);
  CHECK(rig.settlements().empty());
}

TEST_CASE("what an effect got done is kept although the rest of it is tried again") {
  Rig rig;
  rig.handlers->answer = std::string("half");
  rig.deliver(1, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.settlements().at(1).outcome == Settlement::Outcome::Retry);
  CHECK(rig.settlements().at(1).code == "Half");
  CHECK(rig.puts().empty());
  CHECK(rig.count("completed") == 1);
  rig.handlers->answer = std::string("whole");
  rig.deliver(2, make_event("a", "Effect"));
  rig.turn();
  CHECK(rig.settlements().at(2).outcome == Settlement::Outcome::Ok);
  CHECK(rig.puts().size() == 1);
  CHECK(rig.count("completed") == 2);
}

TEST_CASE("workers carry out every effect, and tell it by their descriptor") {
  Echo echo;
  auto workers = EffectWorkers::open(echo, 3);
  REQUIRE(workers);
  constexpr std::uint64_t kEffects = 100;
  for (std::uint64_t ticket = 1; ticket <= kEffects; ++ticket) {
    (*workers)->start(ticket, {.kind = {}, .key = std::to_string(ticket), .payload = {}});
  }
  std::set<std::uint64_t> ended;
  while (ended.size() < kEffects) {
    std::array<pollfd, 1> wait{{{.fd = (*workers)->descriptor(), .events = POLLIN, .revents = 0}}};
    REQUIRE(::poll(wait.data(), wait.size(), 10'000) == 1);
    for (const EffectRunner::Finished& each : (*workers)->take_finished()) {
      CHECK(each.answer.value() == std::to_string(each.ticket));
      ended.insert(each.ticket);
    }
  }
  CHECK((*workers)->take_finished().empty());
}

TEST_CASE("workers end while effects still wait") {
  Echo echo;
  auto workers = EffectWorkers::open(echo, 1);
  REQUIRE(workers);
  for (std::uint64_t ticket = 1; ticket <= 1000; ++ticket) (*workers)->start(ticket, {});
}
