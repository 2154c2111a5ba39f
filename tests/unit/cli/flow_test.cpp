// SPDX-License-Identifier: Apache-2.0

#include "cli/flow.h"

#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>

using conga::Value;
using conga::cli::draw_flow;
using conga::cli::read_flow;
using conga::cli::testing::packed;

namespace {

std::string drawn(std::string_view json) {
  const std::string bytes = packed(json);
  return draw_flow(read_flow(Value::trusted(bytes)), {});
}

}  // namespace

TEST_CASE("a flow is drawn as a tree of causes with its deliveries in place") {
  CHECK(drawn(R"({"events":[
    {"id":"e2","source":"booking","detail-type":"BookingCreated","correlation-id":"BK-1",
     "causation-id":"e1","ingested":"2026-11-23T10:00:00.004000Z","sequence":2,"deliveries":[
       {"rule":"charge","target":"payment","outcome":"ok","attempts":[
         {"attempt":1,"instance":"pay-1","sent":"2026-11-23T10:00:00.005Z","ended":"2026-11-23T10:00:02.005Z","outcome":"retry","code":"AcquirerTimeout","message":"no answer"},
         {"attempt":2,"instance":"pay-1","sent":"2026-11-23T10:00:03Z","ended":"2026-11-23T10:00:03.0121Z","outcome":"ok"}]}]},
    {"id":"e1","source":"web","detail-type":"BookingRequested","correlation-id":"BK-1",
     "ingested":"2026-11-23T10:00:00.001Z","sequence":1,"deliveries":[
       {"rule":"book","target":"booking","outcome":"ok","attempts":[
         {"attempt":1,"instance":"book-1","sent":"2026-11-23T10:00:00.0012Z","ended":"2026-11-23T10:00:00.0035Z","outcome":"ok"}]}]},
    {"id":"e3","source":"payment","detail-type":"PaymentConfirmed","correlation-id":"BK-1",
     "causation-id":"e2","ingested":"2026-11-23T10:00:03.013Z","sequence":3,"deliveries":[
       {"rule":"seat","target":"seating","outcome":"dead-letter","attempts":[
         {"attempt":1,"instance":"seat-1","sent":"2026-11-23T10:00:03.014Z","ended":"2026-11-23T10:00:03.015Z","outcome":"reject","code":"UnknownFlight","message":"XX1"}]},
       {"rule":"mail","target":"notification","outcome":"pending","attempts":[]}]},
    {"id":"e4","source":"audit","detail-type":"Seen","causation-id":"e2","ingested":"2026-11-23T10:00:04Z","sequence":4}]})")
        == "BK-1: 4 events in 3.999 s, 4 deliveries, 1 tried again, 1 dead letter; times are UTC on "
           "2026-11-23\n"
           "\n"
           "10:00:00.001000      +0 us  BookingRequested web e1\n"
           "10:00:00.001200    +200 us  │ → booking by book: ok in 2.30 ms (book-1)\n"
           "10:00:00.004000   +3.00 ms  └─BookingCreated booking e2\n"
           "                              │ → payment by charge: ok\n"
           "10:00:00.005000   +4.00 ms    │     attempt 1: retry AcquirerTimeout: no answer, after "
           "2.000 s (pay-1)\n"
           "10:00:03.000000   +2.999 s    │     attempt 2: ok, after 12.1 ms (pay-1)\n"
           "10:00:03.013000   +3.012 s    ├─PaymentConfirmed payment e3\n"
           "                              │   → seating by seat: dead-letter\n"
           "10:00:03.014000   +3.013 s    │       attempt 1: reject UnknownFlight: XX1, after 1.00 "
           "ms (seat-1)\n"
           "                              │   → notification by mail: pending\n"
           "10:00:04.000000   +3.999 s    └─Seen audit e4\n");
}

TEST_CASE("an event whose cause is not in the flow stands on its own") {
  CHECK(drawn(R"({"events":[{"id":"e1","source":"web","detail-type":"A","causation-id":"gone","sequence":1}]})")
        == "e1: 1 event, 0 deliveries\n"
           "\n"
           "                            A web e1\n");
}

TEST_CASE("an event that was redriven is drawn again, what it caused once") {
  const std::string text = drawn(
      R"({"events":[{"id":"e1","source":"s","detail-type":"A","sequence":1},
                    {"id":"e1","source":"s","detail-type":"A","sequence":2},
                    {"id":"e2","source":"s","detail-type":"B","causation-id":"e1","sequence":3}]})");
  CHECK(text.find("A s e1\n") != std::string::npos);
  CHECK(text.find("A s e1 (redriven)\n") != std::string::npos);
  CHECK(text.find("B s e2") == text.rfind("B s e2"));
}

TEST_CASE("a ring of causes is drawn once and ends") {
  const std::string text = drawn(
      R"({"events":[{"id":"e1","source":"s","detail-type":"A","causation-id":"e2","sequence":1},
                    {"id":"e2","source":"s","detail-type":"B","causation-id":"e1","sequence":2},
                    {"id":"e3","source":"s","detail-type":"C","causation-id":"e3","sequence":3}]})");
  CHECK(text.find("A s e1") != std::string::npos);
  CHECK(text.find("B s e2") != std::string::npos);
  CHECK(text.find("C s e3") != std::string::npos);
}

TEST_CASE("an answer of another shape draws nothing and harms nothing") {
  CHECK(drawn("{}").empty());
  CHECK(drawn("null").empty());
  CHECK(drawn(R"({"events":7})").empty());
  CHECK_FALSE(drawn(R"({"events":[7,{"deliveries":[null]}]})").empty());
}

TEST_CASE("a flow is a sequence diagram, its dead letters crossed out") {
  const std::string bytes = packed(R"({"events":[
    {"id":"e1","source":"web","detail-type":"Asked","sequence":1,"deliveries":[
      {"rule":"r","target":"desk","outcome":"settled","attempts":[{"attempt":1,"outcome":"retry"},
        {"attempt":2,"outcome":"ok"}]},
      {"rule":"r","target":"a;b","outcome":"dead-letter","attempts":[
        {"attempt":1,"outcome":"reject","code":"Wrong"}]},
      {"rule":"r","target":"late","outcome":"pending","attempts":[]}]}]})");
  const auto events = read_flow(Value::trusted(bytes));
  CHECK(conga::cli::mermaid_flow(events)
        == "sequenceDiagram\n"
           "  web ->> desk: Asked, 2 attempts\n"
           "  web -x a b: Asked, Wrong\n"
           "  web --) late: Asked\n");
  CHECK_FALSE(conga::cli::is_over(events));
}
