// SPDX-License-Identifier: Apache-2.0

#include "bus/embedded.h"

#include "tests/unit/bus/support.h"

using namespace conga::bus::test;
using conga::Channel;
using conga::Frame;
using conga::Time;

namespace {

/// Accepts everything and says what a sidecar says; `seen` is what it was told.
class ScriptedSidecar final : public conga::Node {
public:
  explicit ScriptedSidecar(std::vector<std::string>& seen) : seen_(seen) {}

  void on_frame(const Time& /*now*/, Frame& frame) override {
    seen_.push_back(frame.topic);
    if (frame.topic == "link/table") {
      knows_ = true;
      alive_due_ = true;
    }
    if (frame.topic == "link/routed") {
      const auto routed = conga::bus::read_routed(frame.body);
      accepted_ = routed->sequence;
      results_.push_back(conga::put_result_topic(routed->client));
      alive_due_ = true;
    }
  }

  void on_time(const Time& /*now*/) override { seen_.emplace_back("time"); }

  std::optional<conga::SteadyTime> wake_at() const override { return at(7s).steady; }

  conga::Result<> commit(const Time& /*now*/, std::vector<Frame>& out) override {
    if (fail) return conga::fail(conga::Fault::Corrupt, "the disk is gone");
    for (std::string& topic : results_) out.push_back({Channel::Link, topic, "r"});
    results_.clear();
    if (std::exchange(alive_due_, false)) {
      out.push_back({Channel::Link,
                     "link/alive",
                     encode(conga::bus::LinkAlive{.boot = 5,
                                                  .forwarder_boot = knows_ ? kBoot : 0,
                                                  .generation = knows_ ? 1U : 0U,
                                                  .accepted = accepted_})});
    }
    return {};
  }

  bool drained() const override { return done; }

  bool fail = false;
  bool done = false;

private:
  std::vector<std::string>& seen_;
  std::vector<std::string> results_;
  std::uint64_t accepted_ = 0;
  bool knows_ = false;
  bool alive_due_ = true;
};

struct Embedded {
  std::vector<Frame> turn(std::vector<Frame> frames = {}) {
    for (Frame& frame : frames) node.on_frame(at(0s), frame);
    node.on_time(at(0s));
    std::vector<Frame> out;
    committed = node.commit(at(0s), out).has_value();
    return out;
  }

  std::vector<std::string> seen;
  conga::Log log = conga::Log::null();
  std::unique_ptr<ScriptedSidecar> owned = std::make_unique<ScriptedSidecar>(seen);
  ScriptedSidecar* sidecar = owned.get();
  conga::bus::EmbeddedNode node{std::make_unique<conga::bus::Forwarder>(
                                    Bench::defaults(),
                                    two_rules(),
                                    std::make_unique<conga::bus::testing::LoadedRules>([] {
                                      return std::async(std::launch::deferred, [] {
                                        return conga::Result<conga::bus::RuleSet>(two_rules());
                                      });
                                    }),
                                    log),
                                std::move(owned)};
  bool committed = false;
};

}  // namespace

TEST_CASE("forwarder and sidecar agree on the table within two turns") {
  Embedded embedded;
  CHECK(embedded.turn().empty());
  CHECK(embedded.node.wake_at() == conga::SteadyTime{});
  CHECK(embedded.turn().empty());
  CHECK(embedded.seen == std::vector<std::string>{"time", "link/table", "time"});
  CHECK(embedded.node.wake_at() > conga::SteadyTime{});
}

TEST_CASE("an event is handed over, made durable and answered within one turn") {
  Embedded embedded;
  embedded.turn();
  embedded.turn();
  embedded.seen.clear();
  const auto out = embedded.turn({{Channel::Publish, "put/c", event_of(1, "Paid")}});
  CHECK(embedded.seen == std::vector<std::string>{"link/routed", "time"});
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Frame{Channel::Subscribe, "put-result/c", "r"});
  CHECK(embedded.node.accepts(Channel::Publish));
}

TEST_CASE("nothing is answered when the sidecar cannot commit") {
  Embedded embedded;
  embedded.turn();
  embedded.turn();
  embedded.sidecar->fail = true;
  const auto out = embedded.turn({{Channel::Publish, "put/c", event_of(1, "Paid")}});
  CHECK_FALSE(embedded.committed);
  CHECK(out.empty());
}

TEST_CASE("both must have drained") {
  Embedded embedded;
  embedded.node.drain(at(0s));
  CHECK_FALSE(embedded.node.drained());
  embedded.sidecar->done = true;
  CHECK(embedded.node.drained());
}
