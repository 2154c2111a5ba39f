// SPDX-License-Identifier: Apache-2.0
//
// Keeps the hex examples of docs/protocol.md true: each is compared with what the code makes.

#include "common/config/config_reader.h"
#include "common/wire/event/packer.h"
#include "tests/support/routed_event.h"
#include "tests/unit/bus/support.h"

#include <map>

namespace {

using namespace conga::bus::test;
using conga::Packer;

constexpr const char* kFirstId = "019ab0f4-5c00-7000-8000-000000000001";
constexpr const char* kSecondId = "019ab0f4-5c00-7000-8000-000000000002";

struct Example {
  std::string topic;
  std::string body;
};

using Examples = std::map<std::string, Example>;

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char letter : hex) {
    if (letter == ' ') continue;
    digits += letter;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

/// The blocks "```hex NAME" of the page: topic, a line `--`, body; what follows `|` is a comment.
Examples examples_in(std::string_view page) {
  Examples examples;
  Example* open = nullptr;
  bool in_body = false;
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (line.starts_with("```hex ")) {
      open = &examples[std::string(line.substr(7))];
      in_body = false;
    } else if (line.starts_with("```")) {
      open = nullptr;
    } else if (line == "--") {
      in_body = true;
    } else if (open != nullptr) {
      (in_body ? open->body : open->topic) += bytes_of(line.substr(0, line.find('|')));
    }
  }
  return examples;
}

std::string packed(std::string_view json) {
  return *conga::json_to_msgpack(json);
}

std::string order_placed() {
  return conga::encode(conga::Event{.id = *conga::Uuid::parse(kFirstId),
                                    .source = "shop.orders",
                                    .detail_type = "OrderPlaced",
                                    .time = *conga::parse_rfc3339("2026-11-23T06:27:40.123456Z"),
                                    .resources = {},
                                    .detail = packed(R"({"total":250,"weight":1.5})"),
                                    .correlation_id = "order-17",
                                    .causation_id = {},
                                    .hops = 0,
                                    .traceparent = {},
                                    .key = {}});
}

std::string order_paid() {
  return packed(R"({"id":")" + std::string(kSecondId)
                + R"(","source":"shop.orders","detail-type":"OrderPaid","detail":{}})");
}

void add_client_examples(Examples& examples) {
  Example& hello = examples["hello"] = {conga::ask_topic("web-1"), {}};
  conga::append_ask(hello.body,
                    4711,
                    "hello",
                    packed(R"({"topics":["answer/web-1","put-result/web-1"],"nonce":4711})"));
  examples["put"] = {conga::put_topic("web-1"), order_placed()};
  Example& ready = examples["ready"] = {conga::ready_topic("billing", "billing-7"), {}};
  conga::append(ready.body, conga::Ready{.credit = 64});
  using Outcome = conga::Settlement::Outcome;
  Example& settle = examples["settle"] = {conga::settle_topic("billing", "billing-7"), {}};
  conga::append(
      settle.body,
      conga::Settlement{
          .id = 4294967297, .outcome = Outcome::Ok, .code = {}, .message = {}, .delay = {}});
  conga::append(settle.body,
                conga::Settlement{.id = 4294967298,
                                  .outcome = Outcome::Retry,
                                  .code = "Busy",
                                  .message = "the ledger is locked",
                                  .delay = 1500ms});
  conga::append(settle.body,
                conga::Settlement{.id = 4294967299,
                                  .outcome = Outcome::Reject,
                                  .code = "BadAmount",
                                  .message = "total is negative",
                                  .delay = {}});
  Example& ask = examples["ask"] = {conga::ask_topic("web-1"), {}};
  conga::append_ask(ask.body, 4712, "dlq.list", packed(R"({"limit":10})"));
}

void add_bus_examples(Examples& examples) {
  const std::string answer = conga::answer_topic("web-1");
  Example& hello = examples["hello-answer"] = {answer, {}};
  conga::append_answer(
      hello.body, 4711, packed(R"({"bus":"main","version":"0.1.0","boot":1234567890123456789})"));
  Example& results = examples["put-result"] = {conga::put_result_topic("web-1"), {}};
  conga::append(results.body, conga::PutResult{.event_id = kFirstId, .code = {}, .message = {}});
  conga::append(results.body,
                conga::PutResult{.event_id = kSecondId,
                                 .code = "InvalidEvent",
                                 .message = "the event's field 'source' is missing"});
  const std::string event = order_placed();
  Example& deliver = examples["deliver"] = {conga::deliver_topic("billing", "billing-7"), {}};
  conga::append(
      deliver.body,
      conga::DeliveryView{.id = 4294967297, .attempt = 1, .rule = "bill-orders", .event = event});
  Example& result = examples["answer"] = {answer, {}};
  conga::append_answer(result.body, 4712, packed(R"({"count":0,"letters":[]})"));
  Example& refusal = examples["refusal"] = {answer, {}};
  conga::append_refusal(refusal.body, 4713, "UnknownVerb", "there is no verb 'dlq.lost'");
}

void add_link_examples(Examples& examples) {
  using namespace conga::bus;
  const RetryPolicy retry{.max_attempts = 8,
                          .max_age = 1h,
                          .backoff_initial = 200ms,
                          .backoff_factor = 2.0,
                          .backoff_max = 30s,
                          .jitter = RetryPolicy::Jitter::Full,
                          .ack_timeout = 30s};
  const LinkTable table{.boot = 77,
                        .generation = 1,
                        .targets = {{.rule = "bill-orders",
                                     .target = "billing",
                                     .service = "billing",
                                     .retry = retry,
                                     .ordering = {}}}};
  examples["link-table"] = {std::string(kTableTopic), encode(table)};
  const std::string event = order_paid();
  const LinkRouted routed = conga::bus::testing::with_event(
      {.boot = 77, .generation = 1, .sequence = 4, .client = "web-1"}, event, {0});
  examples["link-routed"] = {std::string(kRoutedTopic), encode(routed)};
  const LinkAlive alive{.boot = 5, .forwarder_boot = 77, .generation = 1, .accepted = 4};
  examples["link-alive"] = {std::string(kAliveTopic), encode(alive)};
}

std::string hex_of(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex;
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    hex += {kDigits[byte >> 4U], kDigits[byte & 15U], ' '};
  }
  return hex;
}

}  // namespace

TEST_CASE("every example in docs/protocol.md is what the code sends") {
  Examples expected;
  add_client_examples(expected);
  add_bus_examples(expected);
  add_link_examples(expected);
  const auto page = conga::read_text_file(SOURCE_ROOT "/docs/protocol.md");
  REQUIRE(page);
  const Examples written = examples_in(*page);
  CHECK(written.size() == expected.size());
  for (const auto& [key, example] : expected) {
    const auto& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const auto found = written.find(name);
    REQUIRE(found != written.end());
    CHECK(found->second.topic == example.topic);
    CHECK(hex_of(found->second.body) == hex_of(example.body));
  }
}
