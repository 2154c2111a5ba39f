// SPDX-License-Identifier: Apache-2.0

#include "common/core/ids.h"

#include <doctest/doctest.h>

#include <chrono>

using conga::Random;
using conga::Uuid;
using conga::UuidFactory;
using conga::WallTime;

TEST_CASE("a UUID's text form reads back") {
  const auto id = Uuid::parse("018f4e2a-9b1c-7def-8123-456789abcdef");
  REQUIRE(id);
  CHECK(id->text() == "018f4e2a-9b1c-7def-8123-456789abcdef");
  CHECK(Uuid::parse("018F4E2A-9B1C-7DEF-8123-456789ABCDEF") == id);
}

TEST_CASE("only the 36-character form is a UUID") {
  CHECK_FALSE(Uuid::parse(""));
  CHECK_FALSE(Uuid::parse("018f4e2a9b1c7def8123456789abcdef"));
  CHECK_FALSE(Uuid::parse("018f4e2a-9b1c-7def-8123-456789abcdeg"));
  CHECK_FALSE(Uuid::parse("018f4e2a-9b1c-7def-8123-456789abcdef0"));
  CHECK_FALSE(Uuid::parse("018f4e2a09b1c-7def-8123-456789abcdef"));
}

TEST_CASE("version 5 agrees with RFC 9562's test vector") {
  const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  REQUIRE(dns);
  CHECK(Uuid::v5(*dns, "www.example.com").text() == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST_CASE("version 7 ids carry the time and ascend, even when the clock steps back") {
  Random random(1);
  UuidFactory factory(random);
  const WallTime now{std::chrono::milliseconds(0x017f22e279b0)};
  Uuid last = factory.make(now);
  CHECK(last.text().substr(0, 15) == "017f22e2-79b0-7");
  CHECK((last.bytes[8] >> 6U) == 2);
  for (int step = 0; step < 10'000; ++step) {
    const Uuid next = factory.make(step % 3 == 0 ? now - std::chrono::hours(1) : now);
    REQUIRE(last < next);
    last = next;
  }
}
