// SPDX-License-Identifier: Apache-2.0

#include "cli/bus_command.h"

#include "cli/text.h"
#include "common/wire/event/packer.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga::cli {
namespace {

/// A person waits: the first hellos are lost while the sockets connect.
constexpr Duration kHello = std::chrono::milliseconds(20);

std::vector<std::string> with(std::vector<std::string> topics, std::string topic) {
  topics.push_back(std::move(topic));
  return topics;
}

}  // namespace

std::string no_bus_message(const ClientSettings& settings) {
  return "no bus answered within " + format_duration(settings.timeout) + " (published to "
         + settings.publish + ", listened on " + settings.subscribe
         + "). Start one with scripts/up, or say where it is: --config bus.yaml, or --publish and "
           "--subscribe, or CONGA_PUBLISH and CONGA_SUBSCRIBE.";
}

BusCommand::BusCommand(ClientSettings settings, Screen& screen, std::vector<std::string> topics)
    : settings_(std::move(settings)),
      screen_(screen),
      topics_(with(std::move(topics), answer_topic(settings_.name))),
      answers_(answer_topic(settings_.name)),
      session_(settings_.name, topics_, settings_.nonce, {.hello_interval = kHello}) {}

void BusCommand::on_frame(const Time& now, Frame& frame) {
  if (exit_code_) return;
  if (frame.topic == answers_) {
    session_.on_answers(now, frame.body);
  } else if (begun_) {
    take(now, frame);
  }
}

void BusCommand::on_time(const Time& now) {
  if (exit_code_) return;
  if (!begun_) check_hello(now);
  if (begun_ && !exit_code_) take_answers(now);
  if (begun_ && !exit_code_) check_deadlines(now);
  if (begun_ && !exit_code_) turn(now);
}

std::optional<SteadyTime> BusCommand::wake_at() const {
  if (exit_code_) return std::nullopt;
  if (!hello_deadline_) return SteadyTime{};
  std::optional<SteadyTime> next = session_.wake_at();
  const auto or_at = [&next](SteadyTime at) { next = next ? std::min(*next, at) : at; };
  if (!begun_) or_at(*hello_deadline_);
  for (const auto& question : questions_) or_at(question.second.deadline);
  if (begun_) {
    if (const auto at = due()) or_at(*at);
  }
  return next;
}

Result<> BusCommand::commit(const Time& now, std::vector<Frame>& out) {
  if (!exit_code_) {
    session_.collect(now, out);
    if (begun_) emit(now, out);
  }
  screen_.flush();
  return {};
}

std::vector<std::string> BusCommand::subscriptions() const {
  return topics_;
}

void BusCommand::drain(const Time& /*now*/) {
  if (!exit_code_) finish(ExitCode::Done);
}

std::uint64_t BusCommand::ask(const Time& now, std::string verb, std::string arguments) {
  if (arguments.empty()) Packer(arguments).map(0);
  const std::uint64_t request = session_.ask(verb, std::move(arguments));
  questions_[request] = {.verb = std::move(verb), .deadline = now.steady + settings_.timeout};
  return request;
}

void BusCommand::finish(ExitCode code) {
  exit_code_ = code;
}

void BusCommand::fail_with(ExitCode code, std::string_view why) {
  screen_.note("conga: " + std::string(why) + "\n");
  finish(code);
}

void BusCommand::check_hello(const Time& now) {
  if (!hello_deadline_) hello_deadline_ = now.steady + settings_.timeout;
  if (const auto& refusal = session_.refusal()) {
    fail_with(ExitCode::Refused, refusal->code + ": " + printable(refusal->what));
  } else if (session_.greeted()) {
    begun_ = true;
    begin(now);
  } else if (now.steady >= *hello_deadline_) {
    fail_with(ExitCode::NoBus, no_bus_message(settings_));
  }
}

void BusCommand::take_answers(const Time& now) {
  for (const Answer& answer : session_.take_answers()) {
    if (questions_.erase(answer.request) == 0) continue;
    if (answer.ok) {
      answered(now, answer);
    } else if (!refused(now, answer)) {
      fail_with(ExitCode::Refused, printable(answer.code) + ": " + printable_lines(answer.message));
    }
    if (exit_code_) return;
  }
}

void BusCommand::check_deadlines(const Time& now) {
  for (const auto& question : questions_) {
    if (now.steady < question.second.deadline) continue;
    fail_with(ExitCode::NoBus,
              "the bus at " + settings_.publish + " answered hello, but not `"
                  + question.second.verb + "` within " + format_duration(settings_.timeout)
                  + ". If it is busy, ask again with a longer --timeout; `conga status` and its "
                    "log tell more.");
    return;
  }
}

}  // namespace conga::cli
