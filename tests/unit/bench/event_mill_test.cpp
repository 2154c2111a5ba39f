// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/event_mill.h"

#include "common/wire/event/event.h"

#include <doctest/doctest.h>

#include <string>

using conga::bench::EventMill;

TEST_CASE(
    "events have the size asked for, take turns in their kinds, and tell when they were put") {
  for (const std::size_t size : {300U, 600U, 65'536U, 1'000'000U}) {
    CAPTURE(size);
    conga::Random random(1);
    EventMill mill(12, size, random);
    for (std::uint64_t number = 0; number < 30; ++number) {
      const auto [id, bytes] = mill.next(conga::WallTime(), 1000 + number);
      const auto event = conga::read_event(bytes);
      REQUIRE(event);
      CHECK(event->id == id);
      const std::string digits = std::to_string(100'000 + number % 12).substr(1);
      CHECK(event->detail.find("kind")->string() == "kind-" + digits);
      CHECK(EventMill::sent(bytes) == 1000 + number);
      CHECK(bytes.size() <= size);
      CHECK(bytes.size() + 4 >= size);  // The heads of longer texts are longer.
    }
  }
}
