// SPDX-License-Identifier: Apache-2.0
//
// What the tests of `conga` share: a screen that remembers, values from JSON, and Desk, a bus made
// of a few lines that answers a command on a virtual clock.

#pragma once

#include "cli/bus_command.h"
#include "common/client/publisher.h"
#include "common/wire/event/event.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace conga::cli::testing {

class PaperScreen final : public Screen {
public:
  void print(std::string_view text) override { out += text; }

  void note(std::string_view text) override { err += text; }

  void flush() override {}

  std::string out;
  std::string err;
};

/// msgpack of JSON that the test knows to be right.
inline std::string packed(std::string_view json) {
  const auto bytes = json_to_msgpack(json);
  REQUIRE_MESSAGE(bytes, json);
  return *bytes;
}

/// Runs a command against a bus that answers what the test has told it, turn by turn.
class Desk {
public:
  ClientSettings settings() const { return {.name = "conga-test", .nonce = 7}; }

  bool answers_hello = true;
  std::map<std::string, std::string, std::less<>> answers;  ///< JSON by verb.
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> refusals;

  /// What to say to a put event; nothing: an empty event id, so no answer.
  std::function<PutResult(const EventView&)> judge = [](const EventView& event) {
    return PutResult{.event_id = event.id.text(), .code = {}, .message = {}};
  };

  std::vector<std::string> events;                         ///< Put, as JSON.
  std::vector<std::pair<std::string, std::string>> asked;  ///< Verb and arguments as JSON.
  Time now{.steady = SteadyTime(std::chrono::hours(1)),
           .wall = parse_rfc3339("2026-11-23T10:00:00Z").value()};

  /// One turn: what the bus sent last turn comes in, what the command sends goes to the bus.
  void turn(BusCommand& command) {
    std::vector<Frame> incoming = std::exchange(incoming_, {});
    for (Frame& frame : incoming) command.on_frame(now, frame);
    command.on_time(now);
    std::vector<Frame> sent;
    REQUIRE(command.commit(now, sent));
    for (const Frame& frame : sent) receive(frame);
  }

  /// Turns until the command ends; the clock jumps to wake_at() whenever nothing is under way.
  ExitCode run(BusCommand& command, Duration limit = std::chrono::minutes(10)) {
    const SteadyTime end = now.steady + limit;
    while (!command.exit_code() && now.steady < end) {
      turn(command);
      const auto wake = command.wake_at();
      if (incoming_.empty() && wake && *wake > now.steady) advance(*wake - now.steady);
    }
    REQUIRE(command.exit_code());
    return *command.exit_code();
  }

  void advance(Duration by) {
    now.steady += by;
    now.wall += by;
  }

  /// Has the bus send a frame.
  void send(std::string topic, std::string body) {
    incoming_.push_back(
        {.channel = Channel::Bus, .topic = std::move(topic), .body = std::move(body)});
  }

private:
  void receive(const Frame& frame) {
    std::string_view body = frame.body;
    if (frame.topic == put_topic("conga-test")) {
      while (!body.empty()) receive_event(Value::take(body).value());
    } else if (frame.topic == ask_topic("conga-test")) {
      while (!body.empty()) receive_ask(take_ask(body).value());
    }
  }

  void receive_event(const Value& value) {
    events.push_back(to_json(value));
    const PutResult result = judge(read_event(value.bytes()).value());
    if (result.event_id.empty()) return;
    std::string body;
    append(body, result);
    send(put_result_topic("conga-test"), std::move(body));
  }

  void receive_ask(const AskView& ask) {
    std::string body;
    if (ask.verb == "hello") {
      if (!answers_hello) return;
      append_answer(body, ask.request, packed(R"({"bus":"desk","version":"0.1.0","boot":1})"));
    } else {
      asked.emplace_back(ask.verb, to_json(ask.arguments));
      const auto refusal = refusals.find(ask.verb);
      const auto answer = answers.find(ask.verb);
      if (refusal != refusals.end()) {
        append_refusal(body, ask.request, refusal->second.first, refusal->second.second);
      } else if (answer != answers.end()) {
        append_answer(body, ask.request, packed(answer->second));
      } else {
        return;
      }
    }
    send(answer_topic("conga-test"), std::move(body));
  }

  std::vector<Frame> incoming_;
};

}  // namespace conga::cli::testing
