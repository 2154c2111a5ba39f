// SPDX-License-Identifier: Apache-2.0
//
// Messages: the objects in the second frame, per topic, and their codec. docs/protocol.md gives
// them to the byte. Readers take one object off the front of a body; a body holds one or more.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conga {

/// Names one attempt at one delivery to one instance; chosen by the sidecar, echoed by the service.
using DeliveryId = std::uint64_t;

/// `ready/SERVICE/INSTANCE`: [credit].
struct Ready {
  std::uint32_t credit = 0;  ///< Deliveries the instance will hold at once; 0: none for now.
};

/// `settle/SERVICE/INSTANCE`: [id, "ok"] | [id, "retry", code, message, delay?] |
/// [id, "reject", code, message].
struct Settlement {
  enum class Outcome : std::uint8_t { Ok, Retry, Reject };

  DeliveryId id = 0;
  Outcome outcome = Outcome::Ok;
  std::string code;               ///< Empty for Ok.
  std::string message;            ///< Empty for Ok.
  std::optional<Duration> delay;  ///< Retry only; milliseconds on the wire.
};

/// `deliver/SERVICE/INSTANCE`: [id, attempt, rule, event]. Views into the body.
struct DeliveryView {
  DeliveryId id = 0;
  std::uint32_t attempt = 0;  ///< 1 for the first.
  std::string_view rule;
  std::string_view event;  ///< The event's bytes, already checked to be one msgpack map.
};

/// `put-result/CLIENT`: [event id, "ok"] | [event id, code, message].
struct PutResult {
  std::string event_id;  ///< Text, because a refused event's id may not be a UUID; may be empty.
  std::string code;      ///< Empty: accepted. `Unavailable` and `JournalFull` may be put again.
  std::string message;

  bool ok() const { return code.empty(); }

  bool retryable() const { return code == "Unavailable" || code == "JournalFull"; }
};

/// `ask/CLIENT`: [request id, verb, arguments]. Views into the body.
struct AskView {
  std::uint64_t request = 0;
  std::string_view verb;
  Value arguments;  ///< A map; absent on the wire: null.
};

/// `answer/CLIENT`: [request id, "ok", result] | [request id, "error", code, message].
struct AnswerView {
  std::uint64_t request = 0;
  bool ok = false;
  Value result;           ///< If ok.
  std::string_view code;  ///< If not ok; so the next.
  std::string_view message;
};

void append(std::string& body, const Ready& ready);
void append(std::string& body, const Settlement& settlement);
void append(std::string& body, const DeliveryView& delivery);
void append(std::string& body, const PutResult& result);

/// As append() of a result that is ok, without making one first.
void append_put_ok(std::string& body, std::string_view event_id);

/// `arguments` is one msgpack object.
void append_ask(std::string& body,
                std::uint64_t request,
                std::string_view verb,
                std::string_view arguments);
void append_answer(std::string& body, std::uint64_t request, std::string_view result);
void append_refusal(std::string& body,
                    std::uint64_t request,
                    std::string_view code,
                    std::string_view message);

/// Each takes one object off the front of `body`, or refuses it (Permanent, code `Malformed`) and
/// leaves `body` empty, since what follows a broken object cannot be found.
Result<Ready> take_ready(std::string_view& body);
Result<Settlement> take_settlement(std::string_view& body);
Result<DeliveryView> take_delivery(std::string_view& body, const ValueLimits& limits = {});
Result<PutResult> take_put_result(std::string_view& body);
Result<AskView> take_ask(std::string_view& body, const ValueLimits& limits = {});
Result<AnswerView> take_answer(std::string_view& body, const ValueLimits& limits = {});

}  // namespace conga
