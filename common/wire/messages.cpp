// SPDX-License-Identifier: Apache-2.0

#include "common/wire/messages.h"

#include "common/wire/event/packer.h"

#include <array>
#include <limits>
#include <utility>

namespace conga {
namespace {

/// Control messages are small; only events and arguments may be as large as an event.
constexpr ValueLimits kControlLimits{.max_size = std::size_t{64} * 1024, .max_depth = 8};

tl::unexpected<Error> malformed(std::string_view message, std::string_view why) {
  return fail(Fault::Permanent, std::string(message) + ": " + std::string(why), "Malformed");
}

/// The elements of one array, read in order. Reading behind the end gives null, which no reader
/// below accepts where something is required.
class Fields {
public:
  explicit Fields(const Value& array) : at_(array.elements().begin()), left_(array.size()) {}

  Value next() {
    if (left_ == 0) return {};
    const Value value = *at_;
    ++at_;
    --left_;
    return value;
  }

  std::size_t left() const { return left_; }

private:
  Value::Elements::iterator at_;
  std::size_t left_;
};

/// Takes one array of at least `fields` elements; on a fault nothing of `body` is left.
Result<Value> take_array(std::string_view& body,
                         std::string_view message,
                         std::size_t fields,
                         const ValueLimits& limits) {
  const auto value = Value::take(body, limits);
  if (!value) {
    body = {};
    return malformed(message, value.error().what);
  }
  if (!value->is_array() || value->size() < fields) {
    body = {};
    return malformed(message, "must be an array of at least " + std::to_string(fields));
  }
  return *value;
}

/// An event's message is the event and a few bytes around it.
ValueLimits around(const ValueLimits& event) {
  return {.max_size = event.max_size + kControlLimits.max_size, .max_depth = event.max_depth + 2};
}

struct OutcomeName {
  Settlement::Outcome outcome;
  std::string_view name;
};

constexpr std::array<OutcomeName, 3> kOutcomes{{{Settlement::Outcome::Ok, "ok"},
                                                {Settlement::Outcome::Retry, "retry"},
                                                {Settlement::Outcome::Reject, "reject"}}};

std::optional<Settlement::Outcome> outcome_of(std::optional<std::string_view> name) {
  for (const OutcomeName& known : kOutcomes) {
    if (name == known.name) return known.outcome;
  }
  return std::nullopt;
}

std::string_view name_of(Settlement::Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)].name;
}

/// The delay a service asks for: 0 to 24 h in milliseconds.
Result<std::optional<Duration>> read_delay(const Value& value) {
  constexpr std::uint64_t kMaxDelay = 24ULL * 60 * 60 * 1000;
  if (value.is_null()) return std::optional<Duration>();
  const auto delay = value.uint64();
  if (!delay || *delay > kMaxDelay) {
    return malformed("settle", "the delay must be milliseconds from 0 to 86400000");
  }
  return std::optional<Duration>(std::chrono::milliseconds(*delay));
}

Result<Settlement> read_settlement(const Value& array) {
  Fields fields(array);
  const auto id = fields.next().uint64();
  const auto outcome = outcome_of(fields.next().string());
  if (!id || !outcome) {
    return malformed("settle", "must be [delivery id, \"ok\" | \"retry\" | \"reject\", …]");
  }
  Settlement settlement{
      .id = *id, .outcome = *outcome, .code = {}, .message = {}, .delay = std::nullopt};
  if (*outcome == Settlement::Outcome::Ok) return settlement;
  const auto code = fields.next().string();
  const auto message = fields.next().string();
  if (!code || code->empty() || !message) {
    return malformed("settle", "retry and reject need a code and a message");
  }
  settlement.code = *code;
  settlement.message = *message;
  if (*outcome == Settlement::Outcome::Reject) return settlement;
  const auto delay = read_delay(fields.next());
  if (!delay) return delay.failure();
  settlement.delay = *delay;
  return settlement;
}

}  // namespace

void append(std::string& body, const Ready& ready) {
  Packer(body).array(1).unsigned_integer(ready.credit);
}

void append(std::string& body, const Settlement& settlement) {
  Packer packer(body);
  if (settlement.outcome == Settlement::Outcome::Ok) {
    packer.array(2).unsigned_integer(settlement.id).string(name_of(settlement.outcome));
    return;
  }
  packer.array(settlement.delay ? 5 : 4);
  packer.unsigned_integer(settlement.id).string(name_of(settlement.outcome));
  packer.string(settlement.code).string(settlement.message);
  if (!settlement.delay) return;
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*settlement.delay).count();
  packer.unsigned_integer(static_cast<std::uint64_t>(delay));
}

void append(std::string& body, const DeliveryView& delivery) {
  Packer packer(body);
  packer.array(4).unsigned_integer(delivery.id).unsigned_integer(delivery.attempt);
  packer.string(delivery.rule).raw(delivery.event);
}

void append_put_ok(std::string& body, std::string_view event_id) {
  Packer(body).array(2).string(event_id).string("ok");
}

void append(std::string& body, const PutResult& result) {
  if (result.ok()) return append_put_ok(body, result.event_id);
  Packer packer(body);
  packer.array(3).string(result.event_id).string(result.code).string(result.message);
}

void append_ask(std::string& body,
                std::uint64_t request,
                std::string_view verb,
                std::string_view arguments) {
  Packer(body).array(3).unsigned_integer(request).string(verb).raw(arguments);
}

void append_answer(std::string& body, std::uint64_t request, std::string_view result) {
  Packer(body).array(3).unsigned_integer(request).string("ok").raw(result);
}

void append_refusal(std::string& body,
                    std::uint64_t request,
                    std::string_view code,
                    std::string_view message) {
  Packer(body).array(4).unsigned_integer(request).string("error").string(code).string(message);
}

Result<Ready> take_ready(std::string_view& body) {
  const auto array = take_array(body, "ready", 1, kControlLimits);
  if (!array) return array.failure();
  const auto credit = Fields(*array).next().uint64();
  if (!credit || *credit > std::numeric_limits<std::uint32_t>::max()) {
    body = {};
    return malformed("ready", "the credit must be an integer from 0 to 4294967295");
  }
  return Ready{.credit = static_cast<std::uint32_t>(*credit)};
}

Result<Settlement> take_settlement(std::string_view& body) {
  const auto array = take_array(body, "settle", 2, kControlLimits);
  if (!array) return array.failure();
  auto settlement = read_settlement(*array);
  if (!settlement) body = {};
  return settlement;
}

Result<DeliveryView> take_delivery(std::string_view& body, const ValueLimits& limits) {
  const auto array = take_array(body, "deliver", 4, around(limits));
  if (!array) return array.failure();
  Fields fields(*array);
  const auto id = fields.next().uint64();
  const auto attempt = fields.next().uint64();
  const auto rule = fields.next().string();
  const Value event = fields.next();
  if (!id || !attempt || *attempt > std::numeric_limits<std::uint32_t>::max() || !rule
      || !event.is_map()) {
    body = {};
    return malformed("deliver", "must be [delivery id, attempt, rule, event]");
  }
  return DeliveryView{.id = *id,
                      .attempt = static_cast<std::uint32_t>(*attempt),
                      .rule = *rule,
                      .event = fields.left() == 0 ? event.bytes_up_to(body) : event.bytes()};
}

Result<PutResult> take_put_result(std::string_view& body) {
  const auto array = take_array(body, "put-result", 2, kControlLimits);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto id = fields.next().string();
  const auto code = fields.next().string();
  const bool has_message = fields.left() > 0;
  const auto message = fields.next().string();
  if (!id || !code || code->empty() || (has_message && !message)
      || (!has_message && code != "ok")) {
    body = {};
    return malformed("put-result", "must be [event id, \"ok\"] or [event id, code, message]");
  }
  if (!has_message) return PutResult{.event_id = std::string(*id), .code = {}, .message = {}};
  return PutResult{
      .event_id = std::string(*id), .code = std::string(*code), .message = std::string(*message)};
}

Result<AskView> take_ask(std::string_view& body, const ValueLimits& limits) {
  const auto array = take_array(body, "ask", 2, around(limits));
  if (!array) return array.failure();
  Fields fields(*array);
  const auto request = fields.next().uint64();
  const auto verb = fields.next().string();
  const Value arguments = fields.next();
  if (!request || !verb || !(arguments.is_map() || arguments.is_null())) {
    body = {};
    return malformed("ask", "must be [request id, verb, arguments], the arguments being a map");
  }
  return AskView{.request = *request, .verb = *verb, .arguments = arguments};
}

Result<AnswerView> take_answer(std::string_view& body, const ValueLimits& limits) {
  const auto array = take_array(body, "answer", 3, around(limits));
  if (!array) return array.failure();
  Fields fields(*array);
  AnswerView answer;
  const auto request = fields.next().uint64();
  const auto kind = fields.next().string();
  if (request && kind == "ok") {
    answer = {.request = *request, .ok = true, .result = fields.next(), .code = {}, .message = {}};
    return answer;
  }
  const auto code = fields.next().string();
  const auto message = fields.next().string();
  if (!request || kind != "error" || !code || !message) {
    body = {};
    return malformed("answer",
                     "must be [request id, \"ok\", result] or [… \"error\", code, message]");
  }
  answer = {.request = *request, .ok = false, .result = {}, .code = *code, .message = *message};
  return answer;
}

}  // namespace conga
