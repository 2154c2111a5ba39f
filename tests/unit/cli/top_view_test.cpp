// SPDX-License-Identifier: Apache-2.0

#include "cli/top_view.h"

#include "cli/commands/top.h"
#include "tests/unit/cli/support.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using conga::SteadyTime;
using conga::Value;
using conga::cli::ExitCode;
using conga::cli::Keyboard;
using conga::cli::Look;
using conga::cli::Measurement;
using conga::cli::Top;
using conga::cli::TopView;
using conga::cli::testing::Desk;
using conga::cli::testing::packed;
using conga::cli::testing::PaperScreen;

namespace {

using namespace std::chrono_literals;

std::string bus_status(int accepted, int boot = 5) {
  return R"({"bus":"main","boot":)" + std::to_string(boot) + R"(,"events":{"accepted":)"
         + std::to_string(accepted) + R"(},"link":{"sidecar-boot":)" + std::to_string(boot) + "}}";
}

std::string rules(int matches) {
  return R"({"generation":1,"rules":[{"name":"charge","matches":)" + std::to_string(matches)
         + R"(},{"name":"show","matches":)" + std::to_string(matches * 2) + "}]}";
}

std::string sidecar(int attempts, int pending) {
  return R"({"pending":)" + std::to_string(pending)
         + R"(,"in-flight":2,"dead-letters":1,"targets":[)"
         + R"({"rule":"charge","target":"payment","service":"payment","state":"ok","pending":)"
         + std::to_string(pending) + R"(,"oldest":"90s","attempts":)" + std::to_string(attempts)
         + R"(,"retry-attempts":)" + std::to_string(attempts / 10) + R"(,"settled":)"
         + std::to_string(attempts) + "},"
         + R"({"rule":"tell","target":"letters","service":"letters","state":"no-instance",)"
         + R"("pending":9,"oldest":"3s","attempts":0,"retry-attempts":0,"settled":0}],)"
         + R"("services":[{"service":"payment","instances":[{},{}]}]})";
}

Measurement at(int second,
               const std::string& bus,
               const std::string& rule_list,
               const std::string& side) {
  const std::string one = packed(bus);
  const std::string two = packed(rule_list);
  const std::string three = packed(side);
  return conga::cli::measurement_of(SteadyTime(std::chrono::seconds(second)),
                                    Value::trusted(one),
                                    Value::trusted(two),
                                    Value::trusted(three));
}

TopView view_of(const std::string& keys = "") {
  TopView view;
  view.take(at(10, bus_status(100), rules(50), sidecar(100, 4)));
  view.take(at(12, bus_status(300), rules(150), sidecar(140, 4)));
  for (const char key : keys) CHECK(view.press(key));
  return view;
}

std::string order_of(const TopView& view) {
  std::string order;
  for (const auto& row : view.rows()) order += row.rule + " ";
  return order;
}

/// Types what it is told, a key at a time.
class Typist final : public Keyboard {
public:
  explicit Typist(std::string keys) : keys_(std::move(keys)) {}

  std::string pressed() override {
    if (keys_.empty()) return "";
    const std::string key = keys_.substr(0, 1);
    keys_.erase(0, 1);
    return key;
  }

  Size size() override { return {.width = 60, .height = 10}; }

private:
  std::string keys_;
};

}  // namespace

TEST_CASE("rates are what lies between two answers, in a second") {
  const auto rows = view_of().rows();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].rule == "show");  // topics only, matched most
  CHECK(rows[0].target.empty());
  CHECK(*rows[0].matched == doctest::Approx(100));
  CHECK(rows[1].rule == "charge");
  CHECK(*rows[1].sent == doctest::Approx(20));
  CHECK(*rows[1].retried == doctest::Approx(2));
  CHECK(rows[1].instances == 2);
  CHECK(rows[1].oldest == 90s);
}

TEST_CASE("after a restart there are no rates, and none is negative") {
  TopView view;
  view.take(at(10, bus_status(100), rules(50), sidecar(100, 4)));
  view.take(at(12, bus_status(3, 6), rules(1), sidecar(1, 4)));
  for (const auto& row : view.rows()) {
    CHECK_FALSE(row.sent);
    CHECK_FALSE(row.matched);
  }
  CHECK(view.text({}).find("bus main: - events/s") != std::string::npos);
}

TEST_CASE("keys sort") {
  CHECK(order_of(view_of()) == "show charge tell ");
  CHECK(order_of(view_of("b")) == "tell charge show ");
  CHECK(order_of(view_of("o")) == "charge tell show ");
  CHECK(order_of(view_of("t")) == "charge show tell ");
  CHECK(order_of(view_of("n")) == "charge show tell ");
  CHECK(order_of(view_of("ss")) == "charge tell show ");
}

TEST_CASE("keys filter by rule and target, and can be taken back") {
  CHECK(order_of(view_of("/pay")) == "charge ");
  CHECK(order_of(view_of("/payx\x7f")) == "charge ");
  CHECK(order_of(view_of("/pay\x1b")) == "show charge tell ");
  CHECK(order_of(view_of("/q\nb")) == "");  // q was typed, not pressed
  TopView view = view_of("/tell\n");
  CHECK(order_of(view) == "tell ");
  CHECK_FALSE(view.press('q'));
}

TEST_CASE("the view fits the terminal") {
  Look look;
  look.width = 40;
  const std::string drawn = view_of().draw(6, look);
  std::string_view rest = drawn;
  std::size_t lines = 1;
  while (true) {
    const std::size_t end = rest.find('\n');
    CHECK(rest.substr(0, end).size() <= 42);  // '…' has three bytes
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    ++lines;
  }
  CHECK(lines <= 6);
  CHECK(drawn.find("… and 1 more") != std::string::npos);
  CHECK(TopView().draw(24, look) == "measuring…");
}

TEST_CASE("as JSON a rate that is not known is null") {
  TopView view;
  view.take(at(10, bus_status(100), rules(50), sidecar(100, 4)));
  view.take(at(12, bus_status(300, 6), rules(150), "null"));
  CHECK(view.json().find(R"("accepted-per-second":null,"pending":0)") != std::string::npos);
}

TEST_CASE("in a pipe top measures twice and ends") {
  Desk desk;
  desk.answers["bus.status"] = bus_status(100);
  desk.answers["rules.list"] = rules(50);
  desk.answers["sidecar.status"] = sidecar(100, 4);
  PaperScreen screen;
  Top top(desk.settings(), {}, nullptr, screen, {});
  CHECK(desk.run(top) == ExitCode::Done);
  CHECK(desk.asked.size() == 6);
  CHECK(screen.out.starts_with(
      "bus main: 0 events/s, 4 pending, 2 in flight, 1 dead letter, 2 inst"));
  CHECK(screen.out.find('\x1b') == std::string::npos);
}

TEST_CASE("in a terminal top draws until q is pressed, and leaves the screen as it was") {
  Desk desk;
  desk.answers["bus.status"] = bus_status(100);
  desk.answers["rules.list"] = rules(50);
  desk.refusals["sidecar.status"] = {"Unavailable", "the sidecar does not answer"};
  PaperScreen screen;
  std::string keys(100, 'b');
  Top top(desk.settings(), {}, std::make_unique<Typist>(keys + "q"), screen, {});
  CHECK(desk.run(top) == ExitCode::Done);
  CHECK(screen.out.starts_with("\x1b[?1049h\x1b[?25l"));
  CHECK(screen.out.ends_with("\x1b[?25h\x1b[?1049l"));
  CHECK(screen.out.find("sorted by backlog") != std::string::npos);
}
