// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/json.h"
#include "services/contract/events.h"

#include <doctest/doctest.h>

#include <string>

using namespace conga::contract;

namespace {

conga::Result<BookingRequested> read(const std::string& json) {
  const auto bytes = conga::json_to_msgpack(json);
  REQUIRE(bytes);
  return from_detail<BookingRequested>(conga::Value::trusted(*bytes));
}

constexpr std::string_view kTrip =
    R"({"booking-id":"B","flight":"F","cabin":"c","passengers":[{"name":"A"}],"email":"e","fare":)";

}  // namespace

TEST_CASE("an event of the contract reads back as it was written") {
  const BookingRequested request{.trip = {.booking_id = "B",
                                          .flight = "LH1",
                                          .cabin = "economy",
                                          .passengers = {{.name = "Ä"}, {.name = "B"}},
                                          .email = "a@b.c",
                                          .fare = {.amount = 9007199254740993, .currency = "EUR"}},
                                 .card = "4242"};
  const std::string detail = to_detail(request);
  const auto again = from_detail<BookingRequested>(conga::Value::trusted(detail));
  REQUIRE(again);
  CHECK(again->trip.fare == request.trip.fare);
  CHECK(again->trip.passengers[0].name == "Ä");
  CHECK(to_detail(*again) == detail);
}

TEST_CASE("a fault is told with its path") {
  const auto fault = [](const std::string& json) { return read(json).error().what; };
  CHECK(fault("{}") == "detail.trip: expected this field, which is missing");
  CHECK(fault(R"({"card":"1","trip":)" + std::string(kTrip) + R"({"amount":1.5,"currency":"E"}}})")
        == "detail.trip.fare.amount: expected an integer of 64 bits");
  CHECK(
      fault(R"({"card":"1","trip":{"booking-id":"B","flight":"F","cabin":"c","passengers":[{}]}})")
      == "detail.trip.passengers[0].name: expected this field, which is missing");
}

TEST_CASE("fields that the contract does not know are no fault") {
  CHECK(read(R"({"card":"1","new":[1],"trip":)" + std::string(kTrip)
             + R"({"amount":1,"currency":"E"}}})"));
}

TEST_CASE("an optional field is left out when it says nothing, and checked when it is there") {
  BookingRequested request{.trip = {.booking_id = "B",
                                    .flight = "LH1",
                                    .cabin = "economy",
                                    .passengers = {{.name = "A"}},
                                    .phone = "+4915112345678",
                                    .preferences = {.extra_legroom = true}},
                           .card = "4242"};
  const auto again = from_detail<BookingRequested>(conga::Value::trusted(to_detail(request)));
  REQUIRE(again);
  CHECK(again->trip.phone == request.trip.phone);
  CHECK(again->trip.preferences == request.trip.preferences);
  CHECK(again->trip.email.empty());
  const std::size_t with = to_detail(request).size();
  request.trip.preferences = {};
  CHECK(to_detail(request).size() < with);
  CHECK(read(R"({"card":"1","trip":)" + std::string(kTrip)
             + R"({"amount":1,"currency":"E"},"preferences":{"extra-legroom":"yes"}}})")
            .error()
            .what
        == "detail.trip.preferences.extra-legroom: expected true or false");
}
