// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/zmq/zmq_transport.h"

#include "common/log/log.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <signal.h>
#include <string>

using conga::Arrivals;
using conga::Channel;
using conga::Frame;
using conga::ZmqTransport;
using namespace std::chrono_literals;

namespace {

/// A folder for sockets, gone with the test.
class Folder {
public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path_); }

  std::string endpoint(const std::string& name) const { return "ipc://" + path_ + "/" + name; }

private:
  std::string path_;
};

bool all(Channel /*channel*/) {
  return true;
}

struct Fixture {
  Folder folder;
  conga::Log log = conga::Log::null();

  std::unique_ptr<ZmqTransport> forwarder(const std::string& link) {
    auto transport = ZmqTransport::forwarder(
        folder.endpoint("pub"), folder.endpoint("sub"), link, {}, nullptr, log);
    REQUIRE(transport);
    return std::move(*transport);
  }

  std::unique_ptr<ZmqTransport> client(const std::vector<std::string>& topics) {
    auto transport = ZmqTransport::client(
        folder.endpoint("pub"), folder.endpoint("sub"), topics, {}, nullptr, log);
    REQUIRE(transport);
    return std::move(*transport);
  }
};

/// Polls until `enough` says so; the limit is for a broken build only.
template <class Enough>
bool poll_until(ZmqTransport& transport, Arrivals& into, Enough enough) {
  for (int round = 0; round < 500; ++round) {
    if (enough()) return true;
    Arrivals arrivals;
    REQUIRE(transport.poll(10ms, all, arrivals));
    for (Frame& frame : arrivals.frames) into.frames.push_back(std::move(frame));
    for (conga::Presence& presence : arrivals.presences) into.presences.push_back(presence);
  }
  return enough();
}

/// Sends `frame` from `sender` until `receiver` has one: PUB drops what is sent before a
/// subscription has arrived.
Frame pass(ZmqTransport& sender, ZmqTransport& receiver, const Frame& frame) {
  Arrivals arrivals;
  const bool passed = poll_until(receiver, arrivals, [&] {
    if (arrivals.frames.empty()) sender.send(frame);
    return !arrivals.frames.empty();
  });
  REQUIRE(passed);
  return arrivals.frames.front();
}

}  // namespace

TEST_CASE("what clients publish arrives, large and small, on the Publish channel") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  const auto client = fixture.client({"answer/c"});
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{1'000'000}}) {
    const Frame sent{.channel = Channel::Bus, .topic = "put/c", .body = std::string(size, 'x')};
    Frame received = pass(*client, *forwarder, sent);
    while (received.body.size() != size) received = pass(*client, *forwarder, sent);
    CHECK(received.channel == Channel::Publish);
    CHECK(received.topic == "put/c");
    CHECK(received.body == sent.body);
  }
}

TEST_CASE("subscriptions are reported as presence, and their end too") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  Arrivals arrivals;
  auto client = fixture.client({"deliver/payment/p1"});
  REQUIRE(poll_until(*forwarder, arrivals, [&] { return !arrivals.presences.empty(); }));
  CHECK(arrivals.presences.front().topic == "deliver/payment/p1");
  CHECK(arrivals.presences.front().present);
  client.reset();
  REQUIRE(poll_until(*forwarder, arrivals, [&] { return arrivals.presences.size() == 2; }));
  CHECK_FALSE(arrivals.presences.back().present);
}

TEST_CASE("a client receives what it subscribed to and nothing else") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  const auto client = fixture.client({"answer/c"});
  Arrivals arrivals;
  REQUIRE(poll_until(*forwarder, arrivals, [&] { return !arrivals.presences.empty(); }));
  forwarder->send({.channel = Channel::Subscribe, .topic = "answer/d", .body = "no"});
  forwarder->send({.channel = Channel::Subscribe, .topic = "answer/c", .body = "yes"});
  Arrivals received;
  REQUIRE(poll_until(*client, received, [&] { return !received.frames.empty(); }));
  CHECK(received.frames.front().body == "yes");
}

TEST_CASE("forwarder and sidecar talk over the link, whoever starts first") {
  Fixture fixture;
  const std::string link = fixture.folder.endpoint("link");
  const auto forwarder = fixture.forwarder(link);
  const auto sidecar = ZmqTransport::sidecar(link, {}, nullptr, fixture.log);
  REQUIRE(sidecar);
  const Frame frame{.channel = Channel::Link, .topic = "link/alive", .body = "x"};
  CHECK(pass(*forwarder, **sidecar, frame) == frame);
  CHECK(pass(**sidecar, *forwarder, frame) == frame);
}

TEST_CASE("a channel that the node does not accept waits in the transport") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  const auto client = fixture.client({"answer/c"});
  const Frame frame{.channel = Channel::Bus, .topic = "put/c", .body = "x"};
  pass(*client, *forwarder, frame);
  client->send({.channel = Channel::Bus, .topic = "put/c", .body = "held back"});
  Arrivals arrivals;
  REQUIRE(forwarder->poll(
      50ms, [](Channel) { return false; }, arrivals));
  CHECK(arrivals.frames.empty());
  Arrivals later;
  REQUIRE(poll_until(*forwarder, later, [&] {
    return !later.frames.empty() && later.frames.back().body == "held back";
  }));
}

TEST_CASE("an endpoint in use is refused in one sentence, for ipc too") {
  Fixture fixture;
  const auto first = fixture.forwarder("");
  const auto second = ZmqTransport::forwarder(fixture.folder.endpoint("pub"),
                                              fixture.folder.endpoint("sub2"),
                                              "",
                                              {},
                                              nullptr,
                                              fixture.log);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == "InUse");
  const auto too_long = ZmqTransport::sidecar(
      fixture.folder.endpoint(std::string(120, 'x')), {}, nullptr, fixture.log);
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().what.find("too long") != std::string::npos);
}

TEST_CASE("signals arrive between frames") {
  Fixture fixture;
  auto signals = conga::Signals::open();
  REQUIRE(signals);
  auto client = ZmqTransport::client(fixture.folder.endpoint("pub"),
                                     fixture.folder.endpoint("sub"),
                                     {"answer/c"},
                                     {},
                                     signals->get(),
                                     fixture.log);
  REQUIRE(client);
  pthread_kill(pthread_self(), SIGHUP);
  pthread_kill(pthread_self(), SIGTERM);
  Arrivals arrivals;
  REQUIRE((*client)->poll(std::nullopt, all, arrivals));
  CHECK(arrivals.reload);
  CHECK(arrivals.stop);
}
