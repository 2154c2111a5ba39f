// SPDX-License-Identifier: Apache-2.0
//
// Support: a Forwarder with hand-made rules and a clock that the test moves, and short forms for
// the frames that go in and come out.

#pragma once

#include "bus/forwarder.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "common/wire/topics.h"
#include "tests/support/loaded_rules.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conga::bus::test {

using namespace std::chrono_literals;

constexpr std::uint64_t kBoot = 77;
constexpr std::uint64_t kSidecarBoot = 5;

inline Time at(Duration since_start) {
  return {SteadyTime(1h + since_start), WallTime(1000h + since_start)};
}

inline Uuid id_of(std::uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

inline std::string event_of(std::uint8_t number,
                            const std::string& detail_type,
                            std::uint32_t hops = 0) {
  return conga::encode(Event{.id = id_of(number),
                             .source = "shop",
                             .detail_type = detail_type,
                             .time = {},
                             .resources = {},
                             .detail = {},
                             .correlation_id = {},
                             .causation_id = {},
                             .hops = hops,
                             .traceparent = {},
                             .key = {}});
}

/// `Paid` goes to the services billing and stock and to topic/news, `Seen` to topic/news and
/// topic/log.
inline constexpr const char* kTwoRules = R"(
rules:
  - name: paid
    description: what is paid
    pattern: {detail-type: [Paid]}
    targets: [{service: billing}, {service: stock}, {topic: news}]
  - name: seen
    pattern: {detail-type: [Seen]}
    targets: [{topic: news}, {topic: log}]
)";

inline RuleSet two_rules() {
  const RuleFile file{.name = "rules.yaml", .text = kTwoRules};
  auto rules = RuleSet::parse({&file, 1});
  REQUIRE(rules);
  return std::move(*rules);
}

struct PutAnswer {
  std::string id;
  std::string code;

  friend bool operator==(const PutAnswer&, const PutAnswer&) = default;
};

inline std::vector<PutAnswer> results_in(std::string_view body) {
  std::vector<PutAnswer> answers;
  while (!body.empty()) {
    const auto result = take_put_result(body);
    REQUIRE(result);
    answers.push_back({result->event_id, result->code});
  }
  return answers;
}

class Bench {
public:
  explicit Bench(ForwarderOptions options = defaults(), RuleSet rules = two_rules())
      : forwarder(std::move(options),
                  std::move(rules),
                  std::make_unique<testing::LoadedRules>([this] { return load(); }),
                  log) {}

  /// What a reload reads: next_rules at once, or what slow_rules will hold.
  PendingRules load() {
    if (slow_rules) return slow_rules->get_future();
    std::promise<Result<RuleSet>> ready;
    ready.set_value(std::exchange(next_rules, two_rules()));
    return ready.get_future();
  }

  static ForwarderOptions defaults() {
    ForwarderOptions options;
    options.boot = kBoot;
    return options;
  }

  /// One turn with one frame; what comes out of it.
  std::vector<Frame> turn(Channel channel, std::string topic, std::string body) {
    Frame frame{.channel = channel, .topic = std::move(topic), .body = std::move(body)};
    forwarder.on_frame(now, frame);
    return turn();
  }

  std::vector<Frame> turn() {
    forwarder.on_time(now);
    std::vector<Frame> out;
    REQUIRE(forwarder.commit(now, out));
    return out;
  }

  std::vector<Frame> put(std::string body, const std::string& client = "c") {
    return turn(Channel::Publish, put_topic(client), std::move(body));
  }

  /// What an operator reads.
  const std::vector<std::string>& complaints() const { return sink->lines(); }

  std::vector<Frame> presence(const std::string& topic, bool present = true) {
    forwarder.on_presence(now, {.topic = topic, .present = present});
    return turn();
  }

  std::vector<Frame> alive(std::uint64_t accepted = 0,
                           std::uint64_t generation = 1,
                           std::uint64_t boot = kSidecarBoot) {
    return turn(Channel::Link,
                std::string(kAliveTopic),
                encode(LinkAlive{.boot = boot,
                                 .forwarder_boot = kBoot,
                                 .generation = generation,
                                 .accepted = accepted}));
  }

  std::vector<Frame> ask(std::uint64_t request,
                         const std::string& verb,
                         const std::string& arguments = "{}",
                         const std::string& client = "c") {
    std::string body;
    append_ask(body, request, verb, *json_to_msgpack(arguments));
    return turn(Channel::Publish, ask_topic(client), body);
  }

  /// The answer to ask(1, …): its result as JSON, or its code.
  std::string answer(const std::string& verb, const std::string& arguments = "{}") {
    const auto out = ask(1, verb, arguments);
    REQUIRE(out.size() == 1);
    CHECK(out[0].topic == "answer/c");
    CHECK(out[0].channel == Channel::Subscribe);
    std::string_view rest = out[0].body;
    const auto answer = take_answer(rest);
    REQUIRE(answer);
    CHECK(answer->request == 1);
    return answer->ok ? to_json(answer->result) : std::string(answer->code);
  }

  Result<RuleSet> next_rules = two_rules();
  std::optional<std::promise<Result<RuleSet>>> slow_rules;
  std::shared_ptr<CapturingSink> sink = std::make_shared<CapturingSink>();
  Log log{"bus", LogLevel::Warning, sink};
  Forwarder forwarder;
  Time now = at(0s);
};

}  // namespace conga::bus::test
