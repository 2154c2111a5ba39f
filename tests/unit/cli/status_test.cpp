// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/status.h"

#include "cli/describe.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <string>

using conga::Value;
using conga::cli::ExitCode;
using conga::cli::Look;
using conga::cli::Status;
using conga::cli::testing::Desk;
using conga::cli::testing::packed;
using conga::cli::testing::PaperScreen;

namespace {

constexpr const char* kSidecar =
    R"({"version":"0.1.0","journal":{"events":12,"bytes":67108864},"dead-letters":1,"pending":1200,
        "services":[{"service":"booking","instances":[{"instance":"b-1","credit":256}]},
                    {"service":"payment","instances":[]}],
        "targets":[{"rule":"book","target":"booking","pending":0},
                   {"rule":"charge","target":"payment","pending":1200}]})";

}  // namespace

TEST_CASE("status shows what bus and sidecar say, lists as tables") {
  Desk desk;
  desk.answers["bus.status"] = R"({"bus":"conga","rules":14,"link":"up"})";
  desk.answers["sidecar.status"] = kSidecar;
  PaperScreen screen;
  Status status(desk.settings(), {}, screen, {});
  CHECK(desk.run(status) == ExitCode::Done);
  CHECK(screen.out
        == "BUS\n"
           "  bus    conga\n"
           "  rules  14\n"
           "  link   up\n"
           "\n"
           "SIDECAR\n"
           "  version       0.1.0\n"
           "  journal       events 12, bytes 67108864\n"
           "  dead-letters  1\n"
           "  pending       1200\n"
           "\n"
           "SERVICES\n"
           "SERVICE  INSTANCE  CREDIT\n"
           "booking  b-1          256\n"
           "payment  none\n"
           "\n"
           "TARGETS\n"
           "RULE    TARGET   PENDING\n"
           "book    booking        0\n"
           "charge  payment     1200\n");
}

TEST_CASE("a sidecar that is away is shown, and exits 1") {
  Desk desk;
  desk.answers["bus.status"] = R"({"bus":"conga"})";
  desk.refusals["sidecar.status"] = {"Unavailable", "the sidecar is down"};
  PaperScreen screen;
  Status status(desk.settings(), {}, screen, {});
  CHECK(desk.run(status) == ExitCode::Refused);
  CHECK(screen.out.find("SIDECAR\n  Unavailable: the sidecar is down\n") != std::string::npos);
}

TEST_CASE("status in JSON holds both answers") {
  Desk desk;
  desk.answers["bus.status"] = R"({"bus":"conga"})";
  desk.refusals["sidecar.status"] = {"Unavailable", "the sidecar is down"};
  PaperScreen screen;
  Status status(desk.settings(), {}, screen, Look{.json = true});
  CHECK(desk.run(status) == ExitCode::Refused);
  CHECK(screen.out == "{\"bus\":{\"bus\":\"conga\"},\"sidecar\":null}\n");
}

TEST_CASE("status waits for services, and says which are missing when its patience ends") {
  Desk desk;
  desk.answers["bus.status"] = "{}";
  desk.answers["sidecar.status"] = kSidecar;
  PaperScreen screen;
  Status waiting(desk.settings(), {.await = {"booking", "payment", "seating"}}, screen, {});
  CHECK(desk.run(waiting) == ExitCode::Refused);
  CHECK(screen.err == "conga: no ready instance of payment, seating after 30s\n");
  CHECK(desk.asked.size() > 100);
  Status ready(desk.settings(), {.await = {"booking"}}, screen, {});
  CHECK(desk.run(ready) == ExitCode::Done);
  CHECK(screen.out.empty());
}

TEST_CASE("status waits until nothing is pending") {
  Desk desk;
  desk.answers["bus.status"] = "{}";
  desk.answers["sidecar.status"] = kSidecar;
  PaperScreen screen;
  Status status(desk.settings(), {.idle = true}, screen, {});
  for (int turn = 0; turn < 20; ++turn) {
    desk.turn(status);
    desk.advance(std::chrono::milliseconds(50));
  }
  CHECK_FALSE(status.exit_code());
  // What is sent and not settled is not among what waits to be sent.
  desk.answers["sidecar.status"] = R"({"pending":0,"in-flight":2})";
  for (int turn = 0; turn < 20; ++turn) {
    desk.turn(status);
    desk.advance(std::chrono::milliseconds(50));
  }
  CHECK_FALSE(status.exit_code());
  desk.answers["sidecar.status"] = R"({"pending":0,"in-flight":0})";
  CHECK(desk.run(status) == ExitCode::Done);
}

TEST_CASE("an answer of any shape can be described") {
  for (const char* json :
       {"null", "7", "[]", "{}", R"({"a":[1,"x",[2]],"b":{"c":{"d":1}},"e":[{}]})"}) {
    CAPTURE(json);
    const std::string bytes = packed(json);
    CHECK_NOTHROW(conga::cli::describe(Value::trusted(bytes), {}));
  }
}
