// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/recent_ids.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>
#include <set>
#include <utility>

using namespace std::chrono_literals;
using conga::Random;
using conga::SteadyTime;
using conga::Uuid;
using conga::bus::RecentIds;

namespace {

/// Few different ones, and all with nearly the same hash, so that every probe collides.
Uuid small_id(std::uint64_t number) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(number);
  id.bytes[0] = static_cast<std::uint8_t>(number >> 8U);
  return id;
}

}  // namespace

TEST_CASE("an id is new once") {
  RecentIds ids({});
  const SteadyTime now(1h);
  CHECK(ids.insert(small_id(1), now));
  CHECK_FALSE(ids.insert(small_id(1), now));
  CHECK(ids.insert(small_id(2), now));
  CHECK(ids.contains(small_id(1)));
  CHECK_FALSE(ids.contains(small_id(3)));
}

TEST_CASE("ids are kept for the window, and the newest longer") {
  RecentIds ids({.window = 10s, .least = 2, .most = 100});
  for (std::uint64_t number = 0; number < 5; ++number) ids.insert(small_id(number), SteadyTime(1s));
  ids.insert(small_id(10), SteadyTime(5s));
  CHECK(ids.size() == 6);
  ids.insert(small_id(11), SteadyTime(60s));
  ids.insert(small_id(12), SteadyTime(60s));
  ids.insert(small_id(13), SteadyTime(60s));
  CHECK_FALSE(ids.contains(small_id(0)));
  CHECK(ids.contains(small_id(12)));
  CHECK(ids.size() <= 4);
}

TEST_CASE("memory is bounded whatever the rate") {
  RecentIds ids({.window = 1h, .least = 10, .most = 1000});
  Random random(1);
  conga::UuidFactory factory(random);
  for (int count = 0; count < 10'000; ++count) {
    CHECK(ids.insert(factory.make(conga::WallTime(1s)), SteadyTime(1s)));
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE("it remembers exactly what a set and a queue would") {
  CHECK(rc::check([](std::uint64_t seed) {
    Random dice(seed);
    const std::size_t most = 1 + dice.below(600);
    RecentIds ids({.window = 1h, .least = 1, .most = most});
    std::deque<Uuid> queue;
    std::set<Uuid> known;
    for (int count = 0; count < 3000; ++count) {
      const Uuid id = small_id(dice.below(1000));
      RC_ASSERT(ids.contains(id) == (known.count(id) > 0));
      const bool fresh = known.insert(id).second;
      RC_ASSERT(ids.insert(id, SteadyTime(1s)) == fresh);
      if (!fresh) continue;
      queue.push_back(id);
      if (queue.size() > most) {
        known.erase(queue.front());
        queue.pop_front();
      }
    }
    RC_ASSERT(ids.size() == queue.size());
  }));
}
