// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/zmq/zmq_transport.h"

#include "common/log/log.h"

#include <doctest/doctest.h>
#include <zmq.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <signal.h>
#include <string>
#include <unistd.h>

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
  // A limit of time, not of rounds: a round with arrivals takes none, however slow the machine.
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < limit) {
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

TEST_CASE("a relay of the link has the bus on one side and the sidecar on the other") {
  Fixture fixture;
  const std::string link = fixture.folder.endpoint("link");
  const std::string onward = fixture.folder.endpoint("onward");
  const auto forwarder = fixture.forwarder(link);
  const auto relay = ZmqTransport::link_relay(link, onward, {}, nullptr, fixture.log);
  REQUIRE(relay);
  const auto sidecar = ZmqTransport::sidecar(onward, {}, nullptr, fixture.log);
  REQUIRE(sidecar);
  const Frame near{.channel = Channel::Bus, .topic = "link/alive", .body = "x"};
  const Frame far{.channel = Channel::Link, .topic = "link/alive", .body = "x"};
  CHECK(pass(*forwarder, **relay, far) == near);
  CHECK(pass(**relay, *forwarder, near) == far);
  CHECK(pass(**sidecar, **relay, far) == far);
  CHECK(pass(**relay, **sidecar, far) == far);
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
  CHECK(second.error().what.find("process " + std::to_string(::getpid())) != std::string::npos);
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

TEST_CASE("a port in use is refused with the remedy, a wrong address with what is right") {
  Fixture fixture;
  const auto first = ZmqTransport::forwarder(
      "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "", {}, nullptr, fixture.log);
  REQUIRE(first);
  const std::string taken = (*first)->endpoint(Channel::Publish);
  CHECK(taken.starts_with("tcp://127.0.0.1:"));
  const auto second =
      ZmqTransport::forwarder(taken, "tcp://127.0.0.1:*", "", {}, nullptr, fixture.log);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == "InUse");
  CHECK(second.error().what.find("ss -ltnp 'sport = " + taken.substr(taken.rfind(':')) + "'")
        != std::string::npos);
  for (const char* const wrong : {"tcp://192.0.2.1:7461", "tcp://nosuchdevice:7461", "nonsense"}) {
    CAPTURE(wrong);
    const auto refused = ZmqTransport::sidecar(wrong, {}, nullptr, fixture.log);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "InvalidEndpoint");
  }
}

TEST_CASE("messages that are not topic and body are dropped and counted, and the rest goes on") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  zmq::context_t context;
  zmq::socket_t stranger(context, zmq::socket_type::pub);
  stranger.set(zmq::sockopt::linger, 0);
  stranger.connect(fixture.folder.endpoint("pub"));
  const auto send = [&stranger](const std::vector<std::string>& parts) {
    for (std::size_t at = 0; at < parts.size(); ++at) {
      const bool more = at + 1 < parts.size();
      stranger.send(zmq::buffer(parts[at]),
                    more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  };
  Arrivals arrivals;
  REQUIRE(poll_until(*forwarder, arrivals, [&] {
    send({"put/x", "connected"});
    return !arrivals.frames.empty();
  }));
  send({"alone"});
  send({"a", "b", "c", "d"});
  send({"put/x", "last"});
  REQUIRE(poll_until(*forwarder, arrivals, [&] { return arrivals.frames.back().body == "last"; }));
  CHECK(forwarder->stats().malformed == 2);
  for (const Frame& frame : arrivals.frames) CHECK(frame.topic == "put/x");
}

TEST_CASE("one turn takes no more than its limits, and a full channel starves no other") {
  Fixture fixture;
  const std::string link = fixture.folder.endpoint("link");
  conga::ZmqOptions options;
  options.turn = {.frames = 8, .bytes = 1000};
  const auto opened = ZmqTransport::forwarder(fixture.folder.endpoint("pub"),
                                              fixture.folder.endpoint("sub"),
                                              link,
                                              options,
                                              nullptr,
                                              fixture.log);
  REQUIRE(opened);
  ZmqTransport& forwarder = **opened;
  const auto client = fixture.client({});
  const auto sidecar = ZmqTransport::sidecar(link, {}, nullptr, fixture.log);
  REQUIRE(sidecar);
  pass(*client, forwarder, {.channel = Channel::Bus, .topic = "put/c", .body = "x"});
  pass(**sidecar, forwarder, {.channel = Channel::Link, .topic = "link/alive", .body = "x"});
  const auto publish = [&client] {
    for (int count = 0; count < 10; ++count) {
      client->send({.channel = Channel::Bus, .topic = "put/c", .body = std::string(400, 'x')});
    }
  };
  publish();
  (*sidecar)->send({.channel = Channel::Link, .topic = "link/alive", .body = "not starved"});
  bool alive = false;
  for (int turn = 0; turn < 500 && !alive; ++turn) {
    publish();  // more than a turn takes
    Arrivals arrivals;
    REQUIRE(forwarder.poll(10ms, all, arrivals));
    int in_turn = 0;
    for (const Frame& frame : arrivals.frames) {
      if (frame.channel == Channel::Publish && frame.body.size() == 400) ++in_turn;
      alive = alive || frame.body == "not starved";
    }
    CHECK(in_turn <= 3);  // the third passes 1000 bytes
  }
  CHECK(alive);
}

TEST_CASE("what cannot be sent is counted, and sending never blocks") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder(fixture.folder.endpoint("link"));
  forwarder->send({.channel = Channel::Link, .topic = "link/table", .body = "nobody there"});
  forwarder->send({.channel = Channel::Bus, .topic = "x", .body = "no such channel here"});
  CHECK(forwarder->stats().dropped == 2);
}

TEST_CASE("a restarted forwarder gets back its clients, their subscriptions and the stale path") {
  Fixture fixture;
  auto forwarder = fixture.forwarder("");
  const auto client = fixture.client({"answer/c"});
  const Frame frame{.channel = Channel::Bus, .topic = "put/c", .body = "x"};
  pass(*client, *forwarder, frame);
  forwarder.reset();
  forwarder = fixture.forwarder("");
  Arrivals arrivals;
  CHECK(poll_until(*forwarder, arrivals, [&] {
    client->send(frame);
    Arrivals ignored;
    REQUIRE(client->poll(0ms, all, ignored));  // a SUB that is not polled does not resubscribe
    return !arrivals.presences.empty() && !arrivals.frames.empty();
  }));
}

TEST_CASE("many subscriptions survive") {
  Fixture fixture;
  const auto forwarder = fixture.forwarder("");
  std::vector<std::string> topics;
  for (int number = 0; number < 5000; ++number) topics.push_back("topic/" + std::to_string(number));
  const auto client = fixture.client(topics);
  Arrivals arrivals;
  CHECK(poll_until(*forwarder, arrivals, [&] { return arrivals.presences.size() == 5000; }));
}
