// SPDX-License-Identifier: Apache-2.0

#include "common/client/session.h"

#include "common/core/check.h"
#include "common/wire/event/packer.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <map>
#include <utility>

namespace conga {

struct Session::State {
  struct Question {
    std::string verb;
    std::string arguments;
    std::optional<SteadyTime> due;  ///< Nothing: not asked yet.
  };

  std::string topic;
  SessionOptions options;
  std::string hello;  ///< The arguments of our hello.
  /// Numbers start at the nonce, so that an answer meant for a former process of the same name is
  /// not taken for ours. The first is hello's.
  std::uint64_t hello_request = 0;
  std::uint64_t last_request = 0;
  std::optional<SteadyTime> hello_due;
  bool greeted = false;
  std::optional<Error> refusal;
  std::map<std::uint64_t, Question> questions;
  std::vector<Answer> answers;

  void on_hello_answered(const AnswerView& answer) {
    if (answer.ok) {
      greeted = true;
    } else if (answer.code == "NameTaken" || answer.code == "InvalidArguments") {
      refusal = Error{.fault = Fault::Permanent,
                      .what = std::string(answer.message),
                      .code = std::string(answer.code)};
    }
  }

  void on_answer(const AnswerView& answer) {
    if (answer.request == hello_request) return on_hello_answered(answer);
    if (questions.erase(answer.request) == 0) return;  // forgotten, or answered before
    answers.push_back({.request = answer.request,
                       .ok = answer.ok,
                       .result = std::string(answer.ok ? answer.result.bytes() : ""),
                       .code = std::string(answer.code),
                       .message = std::string(answer.message)});
  }

  /// Asks what is due; `due` is moved on by `interval`.
  static bool fall_due(const Time& now, std::optional<SteadyTime>& due, Duration interval) {
    if (due && *due > now.steady) return false;
    due = now.steady + interval;
    return true;
  }
};

namespace {

std::string hello_arguments(const std::vector<std::string>& topics, std::uint64_t nonce) {
  std::string arguments;
  Packer packer(arguments);
  packer.map(2).key("topics").array(topics.size());
  for (const std::string& topic : topics) packer.string(topic);
  packer.key("nonce").unsigned_integer(nonce);
  return arguments;
}

}  // namespace

Session::Session(const std::string& client,
                 const std::vector<std::string>& topics,
                 std::uint64_t nonce,
                 SessionOptions options)
    : state_(std::make_unique<State>()) {
  CONGA_CHECK(is_valid_name(client), "a client's name is checked before a Session gets it");
  CONGA_CHECK(std::ranges::find(topics, answer_topic(client)) != topics.end(),
              "a client that asks must subscribe to its answers");
  state_->topic = ask_topic(client);
  state_->options = options;
  state_->hello = hello_arguments(topics, nonce);
  state_->hello_request = nonce;
  state_->last_request = nonce;
}

Session::~Session() = default;

bool Session::greeted() const {
  return state_->greeted;
}

const std::optional<Error>& Session::refusal() const {
  return state_->refusal;
}

std::uint64_t Session::ask(std::string verb, std::string arguments) {
  const std::uint64_t request = ++state_->last_request;
  state_->questions.emplace(
      request,
      State::Question{
          .verb = std::move(verb), .arguments = std::move(arguments), .due = std::nullopt});
  return request;
}

void Session::forget(std::uint64_t request) {
  state_->questions.erase(request);
}

void Session::on_answers(const Time& /*now*/, std::string_view body) {
  // Answers may be larger than events: lists of dead letters hold many of them.
  const ValueLimits limits{.max_size = body.size(), .max_depth = 128};
  while (!body.empty()) {
    if (const auto answer = take_answer(body, limits)) state_->on_answer(*answer);
  }
}

void Session::collect(const Time& now, std::vector<Frame>& out) {
  State& state = *state_;
  if (state.refusal) return;
  Frame frame{.channel = Channel::Bus, .topic = state.topic, .body = {}};
  if (!state.greeted) {
    if (!State::fall_due(now, state.hello_due, state.options.hello_interval)) return;
    append_ask(frame.body, state.hello_request, "hello", state.hello);
  } else {
    for (auto& [request, question] : state.questions) {
      if (!State::fall_due(now, question.due, state.options.ask_interval)) continue;
      append_ask(frame.body, request, question.verb, question.arguments);
    }
  }
  if (!frame.body.empty()) out.push_back(std::move(frame));
}

std::optional<SteadyTime> Session::wake_at() const {
  if (state_->refusal) return std::nullopt;
  if (!state_->greeted) return state_->hello_due.value_or(SteadyTime{});
  std::optional<SteadyTime> earliest;
  for (const auto& entry : state_->questions) {
    const SteadyTime due = entry.second.due.value_or(SteadyTime{});
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::vector<Answer> Session::take_answers() {
  return std::exchange(state_->answers, {});
}

}  // namespace conga
