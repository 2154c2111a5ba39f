// SPDX-License-Identifier: Apache-2.0
//
// Whatever happens in whatever order, the engine's books balance.

#include "tests/unit/sidecar/engine_bench.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

using namespace std::chrono_literals;
using conga::bus::Dispatch;
using conga::bus::LinkTarget;
using conga::bus::OrderingKey;
using conga::bus::Sequence;
using conga::bus::testing::EngineBench;
using conga::bus::testing::target;

namespace {

/// Does random things to an engine and keeps books of its own.
class Mischief {
public:
  explicit Mischief(std::uint64_t seed) : dice_(seed) { reload(); }

  void step() {
    switch (dice_.below(10)) {
      case 0:
      case 1:
      case 2:
        put();
        break;
      case 3:
        announce();
        break;
      case 4:
        leave();
        break;
      case 5:
      case 6:
        answer();
        break;
      case 7:
        bench_.pass(std::chrono::milliseconds(dice_.below(4000)));
        break;
      case 8:
        bench_.pass(std::chrono::seconds(dice_.below(3) == 0 ? 100 : 0));
        break;
      default:
        if (dice_.chance(0.2)) reload();
    }
    turn();
  }

  /// Every consumer is well and time goes on: all must end.
  bool everything_ends() {
    for (int round = 0; round < 300 && bench_.engine.pending() + bench_.engine.in_flight() > 0;
         ++round) {
      for (const auto& name : kInstances) bench_.ready("payment", name, 50);
      bench_.ready("seating", "s", 50);
      for (auto& [id, held] : held_) bench_.ok(held);
      held_.clear();
      bench_.pass(1s);
      turn();
    }
    return ended_.size() == accepted_ && bench_.engine.pending() == 0;
  }

private:
  void reload() {
    table_.clear();
    if (dice_.chance(0.9)) table_.push_back(some_target("a", "payment"));
    if (dice_.chance(0.9)) table_.push_back(some_target("b", "payment"));
    if (dice_.chance(0.9)) table_.push_back(some_target("c", "seating"));
    bench_.table(table_);
  }

  LinkTarget some_target(const char* rule, const char* service) {
    LinkTarget made = target(rule, service);
    made.retry.max_attempts = static_cast<std::uint32_t>(dice_.below(4));
    made.retry.max_age = 60s;
    made.retry.backoff_initial = std::chrono::milliseconds(dice_.below(3000));
    made.retry.ack_timeout = 2s;
    if (dice_.chance(0.5)) made.ordering = "/key";
    return made;
  }

  void put() {
    if (table_.empty()) return;
    bench_.keys[bench_.sequence + 1] = dice_.below(4);
    bench_.put(dice_.below(table_.size()));
    ++accepted_;
  }

  void announce() {
    const auto credit = static_cast<std::uint32_t>(dice_.below(4));
    const std::string name = kInstances[dice_.below(kInstances.size())];
    bench_.ready("payment", name, credit);
    bench_.ready("seating", "s", credit);
  }

  void leave() {
    const std::string name = kInstances[dice_.below(kInstances.size())];
    bench_.engine.on_gone(bench_.now, "payment", name);
  }

  void answer() {
    if (held_.empty()) return;
    auto chosen = held_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(dice_.below(held_.size())));
    const Dispatch held = chosen->second;
    held_.erase(chosen);
    switch (dice_.below(3)) {
      case 0:
        bench_.ok(held);
        break;
      case 1:
        bench_.retry(held);
        break;
      default:
        bench_.reject(held);
    }
  }

  void turn() {
    const auto dispatched = bench_.turn();
    for (const Dispatch& dispatch : dispatched) {
      RC_ASSERT(ids_.insert(dispatch.id).second);
      RC_ASSERT(ended_.count(dispatch.event.sequence) == 0U);
      held_[dispatch.id] = dispatch;
    }
    for (const auto& ending : bench_.decided.settled) {
      RC_ASSERT(ended_.insert(ending.event.sequence).second);
    }
    for (const auto& ending : bench_.decided.dead) {
      RC_ASSERT(ended_.insert(ending.event.sequence).second);
      RC_ASSERT(!ending.code.empty());
      RC_ASSERT(!ending.message.empty());
    }
    RC_ASSERT(bench_.engine.pending() + bench_.engine.in_flight() + ended_.size() == accepted_);
    check_credit(dispatched);
  }

  void check_credit(const std::vector<Dispatch>& dispatched) {
    std::set<std::string> sent_to;
    for (const Dispatch& dispatch : dispatched) sent_to.emplace(dispatch.instance);
    for (const auto& service : bench_.engine.services()) {
      for (const auto& instance : service.instances->all()) {
        // Credit may have shrunk below what is in flight, but then nothing new is sent.
        if (sent_to.count(instance.name) > 0) RC_ASSERT(instance.in_flight <= instance.credit);
      }
    }
  }

  inline static const std::vector<std::string> kInstances{"p1", "p2", "p3"};

  conga::Random dice_;
  EngineBench bench_;
  std::vector<LinkTarget> table_;
  std::size_t accepted_ = 0;
  std::set<conga::DeliveryId> ids_;
  std::set<Sequence> ended_;
  std::map<conga::DeliveryId, Dispatch> held_;
};

}  // namespace

TEST_CASE("every accepted delivery is pending, in flight or ended once, and in the end all end") {
  CHECK(rc::check([](std::uint64_t seed) {
    Mischief mischief(seed);
    for (int count = 0; count < 300; ++count) mischief.step();
    RC_ASSERT(mischief.everything_ends());
  }));
}

TEST_CASE("per key, deliveries are sent in order and one at a time, whatever fails") {
  CHECK(rc::check([](std::uint64_t seed) {
    conga::Random dice(seed);
    EngineBench bench;
    LinkTarget made = target("a", "payment");
    made.ordering = "/key";
    made.retry.backoff_initial = 500ms;
    made.retry.ack_timeout = 2s;
    made.retry.max_attempts = 3;
    bench.table({made});
    std::map<OrderingKey, Sequence> newest;
    std::map<conga::DeliveryId, Dispatch> held;
    for (int count = 0; count < 300; ++count) {
      bench.keys[bench.sequence + 1] = 1 + dice.below(3);
      bench.put();
      bench.ready("payment", "p1", 5);
      bench.ready("payment", "p2", 5);
      if (dice.chance(0.1)) bench.engine.on_gone(bench.now, "payment", "p1");
      bench.pass(std::chrono::milliseconds(dice.below(700)));
      for (auto at = held.begin(); at != held.end();) {
        if (dice.chance(0.5))
          bench.ok(at->second);
        else if (dice.chance(0.5))
          bench.retry(at->second);
        at = dice.chance(0.8) ? held.erase(at) : std::next(at);
      }
      std::set<OrderingKey> busy;
      for (const Dispatch& dispatch : bench.turn()) {
        const OrderingKey key = bench.keys[dispatch.event.sequence];
        RC_ASSERT(busy.insert(key).second);
        RC_ASSERT(dispatch.event.sequence >= newest[key]);
        newest[key] = dispatch.event.sequence;
        held[dispatch.id] = dispatch;
      }
    }
  }));
}
