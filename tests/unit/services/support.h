// SPDX-License-Identifier: Apache-2.0
//
// What the services' tests share: a trip, and events as handlers get them.

#pragma once

#include "services/contract/events.h"
#include "services/kit/handlers.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

namespace conga::test {

inline contract::Trip trip(const std::string& booking_id, std::size_t passengers = 1) {
  contract::Trip trip{.booking_id = booking_id,
                      .flight = "LH123",
                      .cabin = "economy",
                      .passengers = {},
                      .email = "ana@example.com",
                      .fare = {.amount = 12300, .currency = "EUR"}};
  for (std::size_t at = 0; at < passengers; ++at) {
    trip.passengers.push_back({.name = "Passenger " + std::to_string(at)});
  }
  return trip;
}

/// Hands `event` to `handlers` as the kit would, its effect included.
template <class T>
Result<kit::Facts> hand(kit::Handlers& handlers, const T& detail, const std::string& id_seed) {
  Event event;
  event.id = Uuid::v5(Uuid(), id_seed);
  event.source = "test";
  event.detail_type = T::kType;
  event.detail = contract::to_detail(detail);
  event.correlation_id = "flow";
  const std::string bytes = encode(event);
  const auto view = read_event(bytes);
  REQUIRE(view);
  const Time now{.steady = {}, .wall = WallTime(std::chrono::hours(500'000))};
  auto decision = handlers.handle(*view, now);
  if (!decision) return decision.failure();
  if (!decision->effect) return decision->facts;
  const auto answer = handlers.perform(*decision->effect);
  if (!answer && answer.error().fault == Fault::Transient) return answer.failure();
  auto facts = handlers.complete(*view, *decision->effect, answer, now);
  const auto rest = answer ? handlers.unfinished(*answer) : std::nullopt;
  if (facts && rest) return tl::unexpected<Error>(*rest);
  return facts;
}

/// Whatever the manifest says is consumed, the handlers know: an event of it without a single field
/// is refused for its fields, not for its type.
inline void check_manifest(kit::Handlers& handlers) {
  for (const kit::EventType& type : handlers.manifest().consumes) {
    CAPTURE(type.name);
    Event event;
    event.source = "test";
    event.detail_type = type.name;
    const std::string bytes = encode(event);
    const auto view = read_event(bytes);
    REQUIRE(view);
    const auto decision = handlers.handle(*view, {});
    REQUIRE_FALSE(decision);
    CHECK(decision.error().code == "InvalidDetail");
  }
}

/// The one fact in `facts`, which must be a T.
template <class T>
T only(const Result<kit::Facts>& facts) {
  REQUIRE(facts);
  REQUIRE(facts->size() == 1);
  REQUIRE(facts->front().type == T::kType);
  auto read = contract::from_detail<T>(Value::trusted(facts->front().detail));
  REQUIRE(read);
  return *read;
}

}  // namespace conga::test
