// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/flights.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

using conga::DeliveryId;
using conga::bus::Flight;
using conga::bus::Flights;

namespace {

Flight flight(DeliveryId id, std::uint32_t target, std::string instance = "one") {
  return {.id = id,
          .pending = {},
          .target = target,
          .service = 0,
          .instance = std::move(instance),
          .sent = {},
          .sent_wall = {}};
}

std::vector<DeliveryId> ids_of(Flights& flights, std::uint32_t target) {
  std::vector<DeliveryId> ids;
  flights.for_each_of(target, [&](const Flight& each) { ids.push_back(each.id); });
  return ids;
}

}  // namespace

TEST_CASE("flights are found by id, and those of a target keep the order of sending") {
  Flights flights;
  flights.add(flight(1, 7));
  flights.add(flight(2, 7));
  flights.add(flight(3, 0));
  flights.add(flight(4, 7));
  REQUIRE(flights.find(2) != nullptr);
  CHECK(flights.find(2)->target == 7);
  CHECK(flights.find(5) == nullptr);
  CHECK(flights.first_of(7)->id == 1);
  CHECK(flights.take(2).id == 2);
  CHECK(flights.find(2) == nullptr);
  CHECK(ids_of(flights, 7) == std::vector<DeliveryId>{1, 4});
  flights.take(1);
  flights.take(4);
  CHECK(flights.count_of(7) == 0);
  CHECK(flights.first_of(7) == nullptr);
  CHECK(ids_of(flights, 7).empty());
  CHECK(flights.size() == 1);
}

TEST_CASE("a target that never had a flight has none") {
  Flights flights;
  flights.add(flight(1, 2));
  CHECK(flights.count_of(1) == 0);
  CHECK(flights.count_of(3) == 0);
  CHECK(flights.first_of(1'000'000) == nullptr);
  CHECK(ids_of(flights, 1'000'000).empty());
}

TEST_CASE("the flights of an instance are those of its service alone, by id") {
  Flights flights;
  flights.add(flight(30, 1, "one"));
  flights.add(flight(10, 2, "one"));
  flights.add(flight(20, 1, "two"));
  Flight other = flight(5, 1, "one");
  other.service = 1;
  flights.add(other);
  CHECK(flights.with(0, "one") == std::vector<DeliveryId>{10, 30});
  CHECK(flights.with(1, "one") == std::vector<DeliveryId>{5});
  CHECK(flights.with(2, "one").empty());
}

TEST_CASE("flights behave like lists by target, whatever comes and goes") {
  CHECK(rc::check("as lists", [](const std::vector<std::pair<bool, std::uint8_t>>& steps) {
    constexpr std::uint32_t kTargets = 3;
    Flights flights;
    std::map<std::uint32_t, std::vector<DeliveryId>> model;
    DeliveryId next = (DeliveryId{5} << 40U) + 1;
    for (const auto& [comes, choice] : steps) {
      std::vector<DeliveryId>& line = model[choice % kTargets];
      if (comes) {
        flights.add(flight(next, choice % kTargets));
        line.push_back(next++);
      } else if (!line.empty()) {
        const auto victim = line.begin() + choice % static_cast<std::ptrdiff_t>(line.size());
        RC_ASSERT(flights.take(*victim).id == *victim);
        line.erase(victim);
      }
      RC_ASSERT(flights.count_of(choice % kTargets) == line.size());
    }
    std::size_t sum = 0;
    for (const auto& [target, line] : model) {
      RC_ASSERT(ids_of(flights, target) == line);
      for (const DeliveryId id : line) RC_ASSERT(flights.find(id)->id == id);
      sum += line.size();
    }
    RC_ASSERT(flights.size() == sum);
  }));
}
