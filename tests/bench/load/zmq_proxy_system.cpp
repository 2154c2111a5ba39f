// SPDX-License-Identifier: Apache-2.0
//
// libzmq's own zmq_proxy: one event a message of two frames [topic][event], as conga's messages
// are.

#include "tests/bench/load/systems.h"

#include <zmq.hpp>

#include <algorithm>
#include <string>

namespace conga::bench {
namespace {

constexpr int kMark = 100'000;
constexpr std::string_view kTopic = "topic/bench";

/// What `work` returns; an exception of libzmq becomes an Error.
template <class Work>
Result<> guarded(Work work) {
  try {
    return work();
  } catch (const zmq::error_t& error) {
    return fail(Fault::Transient, std::string("ZeroMQ: ") + error.what());
  }
}

zmq::socket_t make_socket(zmq::context_t& context, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, kMark);
  socket.set(zmq::sockopt::rcvhwm, kMark);
  return socket;
}

Result<> publish(Side& side) {
  return guarded([&side]() -> Result<> {
    zmq::context_t context(1);
    auto socket = make_socket(context, zmq::socket_type::pub);
    socket.connect(side.plan().publish);
    Payload payload(side.plan().size);
    side.start();
    while (!side.stopped()) {
      const std::size_t count = std::min<std::size_t>(side.allowance(), 256);
      for (std::size_t at = 0; at < count; ++at) {
        const std::string& event = payload.stamp(now_ns());
        socket.send(zmq::buffer(kTopic), zmq::send_flags::sndmore);
        socket.send(zmq::buffer(event), zmq::send_flags::none);
      }
      side.note_put(count);
      if (count == 0) sleep_until(side.next_look());
    }
    return {};
  });
}

Result<> consume(Side& side) {
  return guarded([&side]() -> Result<> {
    zmq::context_t context(1);
    auto socket = make_socket(context, zmq::socket_type::sub);
    socket.set(zmq::sockopt::subscribe, std::string(kTopic));
    socket.set(zmq::sockopt::rcvtimeo, 100);
    socket.connect(side.plan().subscribe);
    side.start();
    while (!side.stopped()) {
      zmq::message_t topic;
      zmq::message_t event;
      if (!socket.recv(topic) || !socket.recv(event)) continue;
      side.note_delivery(Payload::sent(event.data(), event.size()), now_ns());
      side.note_done(1);
    }
    return {};
  });
}

}  // namespace

System zmq_proxy_system() {
  return {"zmq-proxy", publish, consume, nullptr};
}

Result<> run_zmq_proxy(const std::string& publish, const std::string& subscribe) {
  return guarded([&]() -> Result<> {
    zmq::context_t context(1);
    auto front = make_socket(context, zmq::socket_type::xsub);
    auto back = make_socket(context, zmq::socket_type::xpub);
    front.bind(publish);
    back.bind(subscribe);
    zmq::proxy(front, back);
    return {};
  });
}

}  // namespace conga::bench
