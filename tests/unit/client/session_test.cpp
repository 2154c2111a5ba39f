// SPDX-License-Identifier: Apache-2.0

#include "common/client/session.h"

#include "common/wire/event/json.h"
#include "common/wire/messages.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::Session;
using conga::Time;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kNonce = 1000;

Time at(conga::Duration since_start) {
  return {conga::SteadyTime(1h + since_start), conga::WallTime(1000h + since_start)};
}

Session session() {
  return {"c", {"answer/c", "put-result/c"}, kNonce, {}};
}

struct Asked {
  std::uint64_t request;
  std::string verb;
  std::string arguments;  ///< JSON.
};

std::vector<Asked> collect(Session& session, conga::Duration now) {
  std::vector<conga::Frame> out;
  session.collect(at(now), out);
  std::vector<Asked> asked;
  for (const auto& frame : out) {
    CHECK(frame.topic == "ask/c");
    std::string_view rest = frame.body;
    while (!rest.empty()) {
      const auto ask = conga::take_ask(rest);
      REQUIRE(ask);
      asked.push_back({ask->request, std::string(ask->verb), conga::to_json(ask->arguments)});
    }
  }
  return asked;
}

void answer(Session& session, std::uint64_t request, const std::string& json) {
  std::string body;
  conga::append_answer(body, request, *conga::json_to_msgpack(json));
  session.on_answers(at(0s), body);
}

void refuse(Session& session, std::uint64_t request, const std::string& code) {
  std::string body;
  conga::append_refusal(body, request, code, "why");
  session.on_answers(at(0s), body);
}

}  // namespace

TEST_CASE("hello names the topics and is repeated every 100 ms until answered") {
  Session subject = session();
  CHECK(subject.wake_at());
  const auto first = collect(subject, 0ms);
  REQUIRE(first.size() == 1);
  CHECK(first[0].verb == "hello");
  CHECK(first[0].arguments == R"({"topics":["answer/c","put-result/c"],"nonce":1000})");
  CHECK(collect(subject, 99ms).empty());
  CHECK(subject.wake_at() == at(100ms).steady);
  CHECK(collect(subject, 100ms).size() == 1);
  CHECK_FALSE(subject.greeted());
  answer(subject, first[0].request, R"({"bus":"main"})");
  CHECK(subject.greeted());
  CHECK(collect(subject, 300ms).empty());
  CHECK_FALSE(subject.wake_at());
  CHECK(subject.take_answers().empty());
}

TEST_CASE("a taken name ends the session with the bus's reason") {
  Session subject = session();
  refuse(subject, collect(subject, 0ms)[0].request, "NameTaken");
  REQUIRE(subject.refusal());
  CHECK(subject.refusal()->code == "NameTaken");
  CHECK(subject.refusal()->what == "why");
  CHECK_FALSE(subject.greeted());
  CHECK(collect(subject, 1s).empty());
  CHECK_FALSE(subject.wake_at());
}

TEST_CASE("a question waits for hello, goes out once a second, and is answered once") {
  Session subject = session();
  const auto request = subject.ask("bus.status", "\x80");
  const auto hello = collect(subject, 0ms);
  REQUIRE(hello.size() == 1);
  answer(subject, hello[0].request, "{}");
  const auto asked = collect(subject, 10ms);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].verb == "bus.status");
  CHECK(asked[0].request == request);
  CHECK(collect(subject, 1009ms).empty());
  CHECK(subject.wake_at() == at(1010ms).steady);
  CHECK(collect(subject, 1010ms).size() == 1);
  answer(subject, request, R"({"clients":2})");
  answer(subject, request, R"({"clients":3})");
  const auto answers = subject.take_answers();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ok);
  CHECK(conga::to_json(*conga::Value::parse(answers[0].result)) == R"({"clients":2})");
  CHECK_FALSE(subject.wake_at());
}

TEST_CASE("a refused question gives code and message") {
  Session subject = session();
  answer(subject, collect(subject, 0ms)[0].request, "{}");
  const auto request = subject.ask("nonsense", "\x80");
  collect(subject, 0ms);
  refuse(subject, request, "UnknownVerb");
  const auto answers = subject.take_answers();
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].ok);
  CHECK(answers[0].code == "UnknownVerb");
  CHECK(answers[0].message == "why");
}

TEST_CASE("a forgotten question is not asked again and its late answer is dropped") {
  Session subject = session();
  answer(subject, collect(subject, 0ms)[0].request, "{}");
  const auto request = subject.ask("trace", "\x80");
  collect(subject, 0ms);
  subject.forget(request);
  CHECK(collect(subject, 5s).empty());
  answer(subject, request, "{}");
  CHECK(subject.take_answers().empty());
}

TEST_CASE("answers to a former process of the same name are not taken for ours") {
  Session subject = session();
  answer(subject, 1, "{}");
  answer(subject, kNonce - 1, "{}");
  CHECK_FALSE(subject.greeted());
  subject.on_answers(at(0s), std::string("\xc1\x00\x00", 3));
  CHECK_FALSE(subject.greeted());
}
