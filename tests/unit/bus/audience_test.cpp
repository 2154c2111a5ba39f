// SPDX-License-Identifier: Apache-2.0

#include "bus/audience.h"

#include <doctest/doctest.h>

using conga::bus::Audience;

TEST_CASE("a client's own topic counts as heard only if it is subscribed to exactly") {
  Audience audience;
  audience.set("deliver/pay/one", true);
  audience.set("", true);
  CHECK(audience.listens("deliver/pay/one"));
  CHECK_FALSE(audience.listens("deliver/pay/on"));
  CHECK_FALSE(audience.listens("deliver/pay/one1"));
  audience.set("deliver/pay/one", false);
  CHECK_FALSE(audience.listens("deliver/pay/one"));
}

TEST_CASE("events and topics are overheard by every prefix of them") {
  for (const char* const tap : {"", "e", "event/", "event/shop/", "event/shop/Paid"}) {
    Audience audience;
    audience.set(tap, true);
    CHECK(audience.has_taps());
    CHECK(audience.overhears("event/shop/Paid"));
    audience.set(tap, false);
    CHECK_FALSE(audience.has_taps());
    CHECK_FALSE(audience.overhears("event/shop/Paid"));
  }
  Audience audience;
  audience.set("topic/news", true);
  CHECK(audience.overhears("topic/news"));
  CHECK_FALSE(audience.overhears("topic/new"));
  CHECK_FALSE(audience.overhears("event/news/T"));
}

TEST_CASE("clients' own subscriptions are no taps, and repeats change nothing") {
  Audience audience;
  audience.set("deliver/s/i", true);
  audience.set("answer/i", true);
  audience.set("answer/i", true);
  CHECK_FALSE(audience.has_taps());
  CHECK(audience.size() == 2);
  audience.set("answer/i", false);
  audience.set("answer/i", false);
  CHECK(audience.size() == 1);
}
