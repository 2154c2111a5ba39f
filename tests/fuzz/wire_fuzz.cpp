// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what reads frames from outside: events, control messages, topics and JSON. Beyond not
// crashing: what is accepted must survive the way to JSON and back.

#include "common/core/check.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

/// JSON cannot say NaN and infinities: an object that holds one does not come back the same.
bool is_finite(const conga::Value& value) {
  if (value.type() == conga::Value::Type::Double) return std::isfinite(*value.number());
  for (const conga::Value element : value.elements()) {
    if (!is_finite(element)) return false;
  }
  for (const auto& [key, member] : value.members()) {
    if (!is_finite(member)) return false;
  }
  return true;
}

void read_as_value(std::string_view bytes) {
  const auto value = conga::Value::parse(bytes);
  if (!value) return;
  CONGA_CHECK(value->bytes() == bytes, "a parsed object must span its bytes");
  if (!is_finite(*value)) return;
  const std::string json = conga::to_json(*value);
  const auto packed =
      conga::json_to_msgpack(json, {.max_size = 16 * bytes.size(), .max_depth = 64});
  CONGA_CHECK(packed.has_value(), "our own JSON must be readable");
  // Not the same bytes: msgpack may spell a number longer than need be. But the same JSON.
  CONGA_CHECK(conga::to_json(conga::Value::trusted(*packed)) == json, "JSON must come back");
}

template <class Take>
void read_all(std::string_view body, Take take) {
  while (!body.empty()) {
    if (!take(body)) return;
  }
}

void read_as_messages(std::string_view body) {
  read_all(body, [](std::string_view& rest) { return conga::take_ready(rest).has_value(); });
  read_all(body, [](std::string_view& rest) { return conga::take_settlement(rest).has_value(); });
  read_all(body, [](std::string_view& rest) { return conga::take_delivery(rest).has_value(); });
  read_all(body, [](std::string_view& rest) { return conga::take_put_result(rest).has_value(); });
  read_all(body, [](std::string_view& rest) { return conga::take_ask(rest).has_value(); });
  read_all(body, [](std::string_view& rest) { return conga::take_answer(rest).has_value(); });
}

void read_as_json(std::string_view text) {
  const auto packed = conga::json_to_msgpack(text);
  if (!packed) return;
  CONGA_CHECK(conga::Value::parse(*packed).has_value(), "JSON must become well-formed msgpack");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_value(bytes);
  read_as_messages(bytes);
  read_as_json(bytes);
  if (const auto event = conga::read_event(bytes)) {
    CONGA_CHECK(conga::read_event(conga::encode(conga::to_event(*event))).has_value(),
                "a read event must be writable");
  }
  static_cast<void>(conga::event_id_of(bytes));
  static_cast<void>(conga::parse_topic(bytes));
  return 0;
}
