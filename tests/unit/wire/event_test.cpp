// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/event.h"

#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <doctest/doctest.h>

#include <string>

using conga::read_event;

namespace {

constexpr std::string_view kId = "018f4e2a-9b1c-7def-8123-456789abcdef";

std::string packed(const std::string& json) {
  auto bytes = conga::json_to_msgpack(json);
  REQUIRE(bytes);
  return *bytes;
}

/// An event with `extra` fields behind the required ones: `,"hops":1`.
std::string event_json(const std::string& extra) {
  return R"({"id":")" + std::string(kId) + R"(","source":"s","detail-type":"T","detail":{})" + extra
         + "}";
}

}  // namespace

TEST_CASE("an event reads back as it was made") {
  conga::Event event{.id = *conga::Uuid::parse(kId),
                     .source = "aircraft.booking",
                     .detail_type = "BookingCreated",
                     .time = *conga::parse_rfc3339("2026-11-23T06:27:40.123456Z"),
                     .resources = {"arn:flight"},
                     .detail = packed(R"({"amount":9007199254740993})"),
                     .correlation_id = "BK-1",
                     .causation_id = conga::Uuid::parse(kId),
                     .hops = 3,
                     .traceparent = "00-a-b-01",
                     .key = "BK-1"};
  const std::string bytes = conga::encode(event);
  const auto view = read_event(bytes);
  REQUIRE(view);
  CHECK(view->source == "aircraft.booking");
  CHECK(view->detail.find("amount")->int64() == 9007199254740993);
  CHECK(conga::encode(conga::to_event(*view)) == bytes);
}

TEST_CASE("only the required fields are required, and unknown ones are kept") {
  const std::string bytes = packed(event_json(R"(,"account":"123456789012")"));
  const auto view = read_event(bytes);
  REQUIRE(view);
  CHECK(view->map.find("account")->string() == "123456789012");
  CHECK(view->hops == 0);
  CHECK_FALSE(view->causation_id);
}

TEST_CASE("a faulty field is refused by name") {
  struct Case {
    std::string json;
    std::string field;
  };

  for (const Case& test : {Case{event_json(R"(,"hops":-1)"), "hops"},
                           Case{event_json(R"(,"time":"yesterday")"), "time"},
                           Case{event_json(R"(,"resources":[1])"), "resources"},
                           Case{event_json(R"(,"causation-id":"x")"), "causation-id"},
                           Case{event_json(R"(,"source":"twice")"), "source"},
                           Case{R"({"source":"s","detail-type":"T","detail":{}})", "id"},
                           Case{R"({"id":"7","source":"s","detail-type":"T","detail":{}})", "id"},
                           Case{event_json(R"(,"correlation-id":7)"), "correlation-id"}}) {
    const std::string bytes = packed(test.json);
    const auto view = read_event(bytes);
    REQUIRE_FALSE(view);
    CHECK(view.error().code == "InvalidEvent");
    CHECK(view.error().what.find("'" + test.field + "'") != std::string::npos);
  }
}

TEST_CASE("an oversized event is refused as such, and its id can still be told") {
  const std::string bytes = packed(event_json(R"(,"x":")" + std::string(100, 'x') + "\""));
  const conga::ValueLimits limits{.max_size = 100, .max_depth = 64};
  CHECK(read_event(bytes, limits).error().code == "EventTooLarge");
  CHECK(conga::event_id_of(bytes, limits)->text() == kId);
}

TEST_CASE("events are taken off a body one by one, and a refused one does not hide the next") {
  std::string good;
  conga::Packer(good)
      .map(4)
      .key("id")
      .string("018f4e2a-9b1c-7def-8123-456789abcdef")
      .key("source")
      .string("s")
      .key("detail-type")
      .string("T")
      .key("detail")
      .map(0);
  std::string large;
  conga::Packer(large).map(1).key("id").string(std::string(2000, 'x'));
  std::string deep;
  for (int level = 0; level < 100; ++level) conga::Packer(deep).array(1);
  conga::Packer(deep).null();
  const std::string body = good + large + deep + good + "\xc1" + good;
  const conga::ValueLimits limits{.max_size = 1000};
  std::string_view rest = body;
  CHECK(conga::take_event(rest, limits)->bytes == good);
  CHECK(conga::take_event(rest, limits).error().code == "EventTooLarge");
  CHECK(conga::take_event(rest, limits).error().code == "EventTooDeep");
  CHECK(conga::take_event(rest, limits)->bytes == good);
  CHECK(conga::take_event(rest, limits).error().code == "InvalidEvent");
  CHECK(rest.empty());
}
