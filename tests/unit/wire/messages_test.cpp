// SPDX-License-Identifier: Apache-2.0

#include "common/wire/messages.h"

#include "common/wire/event/packer.h"
#include "common/wire/topics.h"

#include <doctest/doctest.h>

#include <string>

using conga::Settlement;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("settlements of one body read back in order") {
  std::string body;
  conga::append(
      body,
      Settlement{
          .id = 1, .outcome = Settlement::Outcome::Ok, .code = {}, .message = {}, .delay = {}});
  conga::append(body,
                Settlement{.id = 2,
                           .outcome = Settlement::Outcome::Retry,
                           .code = "Busy",
                           .message = "later",
                           .delay = 1500ms});
  conga::append(body,
                Settlement{.id = ~0ULL,
                           .outcome = Settlement::Outcome::Reject,
                           .code = "Bad",
                           .message = "",
                           .delay = {}});
  std::string_view rest = body;
  CHECK(conga::take_settlement(rest)->id == 1);
  const auto retry = conga::take_settlement(rest);
  REQUIRE(retry);
  CHECK(retry->outcome == Settlement::Outcome::Retry);
  CHECK(retry->delay == 1500ms);
  const auto reject = conga::take_settlement(rest);
  REQUIRE(reject);
  CHECK(reject->id == ~0ULL);
  CHECK(reject->code == "Bad");
  CHECK(rest.empty());
}

TEST_CASE("a put-result without a message is ok, with one it is a refusal") {
  std::string body;
  conga::append(body, conga::PutResult{.event_id = "a", .code = {}, .message = {}});
  conga::append(body, conga::PutResult{.event_id = "b", .code = "JournalFull", .message = "full"});
  std::string_view rest = body;
  CHECK(conga::take_put_result(rest)->ok());
  const auto refused = conga::take_put_result(rest);
  REQUIRE(refused);
  CHECK(refused->retryable());
  CHECK(refused->message == "full");
}

TEST_CASE("a broken object empties the body, for what follows it cannot be found") {
  for (const std::string& bytes : {"\xc1\x01"s,
                                   "\x90\x90"s,
                                   "\x92\x01\xa3"
                                   "abc"s,
                                   "\x92\xff\xa2"
                                   "ok"s}) {
    std::string_view rest = bytes;
    CHECK_FALSE(conga::take_settlement(rest));
    CHECK(rest.empty());
  }
}

TEST_CASE("asks and answers read back") {
  std::string arguments;
  conga::Packer(arguments).map(1).key("id").string("x");
  std::string body;
  conga::append_ask(body, 7, "trace", arguments);
  std::string_view rest = body;
  const auto ask = conga::take_ask(rest);
  REQUIRE(ask);
  CHECK(ask->verb == "trace");
  CHECK(ask->arguments.find("id")->string() == "x");

  std::string answers;
  conga::append_answer(answers, 7, arguments);
  conga::append_refusal(answers, 8, "UnknownVerb", "no such verb");
  rest = answers;
  const auto answer = conga::take_answer(rest);
  REQUIRE(answer);
  CHECK(answer->ok);
  CHECK(answer->result.find("id")->string() == "x");
  const auto refusal = conga::take_answer(rest);
  REQUIRE(refusal);
  CHECK_FALSE(refusal->ok);
  CHECK(refusal->code == "UnknownVerb");
}

TEST_CASE("topics are taken apart, and nothing else passes for one") {
  const auto topic = conga::parse_topic("settle/payment/payment-host-7-abc");
  REQUIRE(topic);
  CHECK(topic->kind == conga::TopicKind::Settle);
  CHECK(topic->first == "payment");
  CHECK(topic->second == "payment-host-7-abc");
  CHECK(conga::parse_topic(conga::event_topic("aircraft.booking", "Booking Created")));
  for (const char* text : {"",
                           "put",
                           "put/",
                           "put/a/b",
                           "ready/a",
                           "ready/a/",
                           "ready//b",
                           "link/alive",
                           "ask/a b",
                           "Put/a"}) {
    CAPTURE(text);
    CHECK_FALSE(conga::parse_topic(text));
  }
}
