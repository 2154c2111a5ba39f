// SPDX-License-Identifier: Apache-2.0
//
// The small parts: backoff, reasons, ordering keys.

#include "bus/sidecar/ordering.h"
#include "bus/sidecar/reasons.h"
#include "bus/sidecar/retry.h"
#include "common/wire/event/json.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace std::chrono_literals;
using conga::Duration;
using conga::Random;
using conga::bus::kNoKey;
using conga::bus::OrderingKey;
using conga::bus::Reasons;
using conga::bus::RetryPolicy;

namespace {

OrderingKey key(const char* json, const char* pointer) {
  const auto bytes = conga::json_to_msgpack(json);
  REQUIRE(bytes);
  return conga::bus::ordering_key(*conga::Value::parse(*bytes), pointer);
}

}  // namespace

TEST_CASE("full jitter stays between nothing and the ceiling, and reaches both halves") {
  RetryPolicy policy;
  policy.backoff_initial = 1s;
  policy.backoff_factor = 2;
  policy.backoff_max = 30s;
  Random random(3);
  for (const std::uint32_t failed : {1U, 2U, 3U, 10U, 185U}) {
    const Duration ceiling = backoff_ceiling(policy, failed);
    bool low = false;
    bool high = false;
    for (int count = 0; count < 200; ++count) {
      const Duration wait = backoff(policy, failed, random);
      REQUIRE(wait >= 0s);
      REQUIRE(wait <= ceiling);
      low = low || wait < ceiling / 2;
      high = high || wait > ceiling / 2;
    }
    CHECK(low);
    CHECK(high);
  }
  CHECK(backoff_ceiling(policy, 1) == 1s);
  CHECK(backoff_ceiling(policy, 3) == 4s);
  CHECK(backoff_ceiling(policy, 6) == 30s);
  policy.backoff_factor = 10;
  CHECK(backoff_ceiling(policy, 185) == 30s);
}

TEST_CASE("equal reasons are kept once and forgotten with their last use") {
  Reasons reasons;
  const auto one = reasons.keep("Busy", "later");
  const auto same = reasons.keep("Busy", "later");
  const auto other = reasons.keep("Busy", "never");
  CHECK(one == same);
  CHECK(one != other);
  CHECK(reasons.at(other).message == "never");
  reasons.release(one);
  CHECK(reasons.at(same).code == "Busy");
  reasons.release(same);
  reasons.release(other);
  CHECK(reasons.size() == 0);
  reasons.release(Reasons::kNone);
  CHECK(reasons.at(Reasons::kNone).code.empty());
}

TEST_CASE("the memory for reasons is bounded") {
  Reasons reasons;
  const std::string chatty(100'000, 'x');
  CHECK(reasons.at(reasons.keep("A", chatty)).message.size() == Reasons::kMaxMessage);
  for (std::size_t count = 0; count < Reasons::kMaxReasons + 100; ++count) {
    reasons.keep("Busy", std::to_string(count));
  }
  CHECK(reasons.size() <= Reasons::kMaxReasons + 1);
  CHECK(reasons.at(reasons.keep("Busy", "one more")).code == "Busy");
}

TEST_CASE("text is cut between characters") {
  CHECK(conga::bus::cut_text("abc", 2) == "ab");
  CHECK(conga::bus::cut_text("a\u00e9", 2) == "a");
  CHECK(conga::bus::cut_text("\u20ac\u20ac", 5) == "\u20ac");
}

TEST_CASE("equal values order together, absent ones not at all") {
  CHECK(key(R"({"detail":{"id":"B1"}})", "/detail/id")
        == key(R"({"x":1,"detail":{"id":"B1"}})", "/detail/id"));
  CHECK(key(R"({"detail":{"id":"B1"}})", "/detail/id")
        != key(R"({"detail":{"id":"B2"}})", "/detail/id"));
  CHECK(key(R"({"id":5})", "/id") == key(R"({"id":5})", "/id"));
  CHECK(key(R"({"id":5})", "/id") != key(R"({"id":"5"})", "/id"));
  CHECK(key(R"({"id":null})", "/id") == kNoKey);
  CHECK(key(R"({"id":5})", "/other") == kNoKey);
  CHECK(key(R"({"id":5})", "/id/deeper") == kNoKey);
  CHECK(key(R"({"a/b":{"~":7}})", "/a~1b/~0") != kNoKey);
  CHECK(key(R"({"list":[1,2]})", "/list/1") == key(R"({"id":2})", "/id"));
  CHECK(key(R"({"list":[1,2]})", "/list/2") == kNoKey);
  CHECK(key(R"({"list":[1,2]})", "/list/x") == kNoKey);
}
