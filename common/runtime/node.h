// SPDX-License-Identifier: Apache-2.0
//
// Node: the one shape of every daemon. It is given frames and the time and hands back frames; it
// owns no socket, thread or clock, and never blocks or sleeps. run() drives it against ZeroMQ,
// tests/support/world.h against a simulated network. docs/adr/0001-node.md says why.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/metrics/metrics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conga {

/// Which of a Node's peers a frame comes from or goes to.
enum class Channel : std::uint8_t {
  Bus,        ///< A client or service: the bus (SUB in, PUB out). A relay of the link: likewise.
  Publish,    ///< The forwarder: from the publishers (XSUB), in only.
  Subscribe,  ///< The forwarder: to the subscribers (XPUB), out only; their presence comes in.
  Link,       ///< Between forwarder and sidecar (DEALER), both ways.
};

/// One message of two parts, as docs/protocol.md defines them.
struct Frame {
  Channel channel = Channel::Bus;
  std::string topic;
  std::string body;  ///< msgpack objects, concatenated. What came has room for some more.

  friend bool operator==(const Frame&, const Frame&) = default;
};

/// A topic got its first subscriber, or lost its last one. Only the forwarder's XPUB reports it.
struct Presence {
  std::string topic;
  bool present = false;
};

/// One turn is: on_presence and on_frame for what has come, on_time once, commit once. All calls
/// come from one thread at a time with a `now` that does not change within the turn.
class Node {
public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  /// Whatever the frame holds, it must not throw and must not stop the daemon: what comes from
  /// outside is refused or counted. May move from `frame`.
  virtual void on_frame(const Time& now, Frame& frame) = 0;

  virtual void on_presence(const Time& /*now*/, const Presence& /*presence*/) {}

  /// Called once a turn, after the frames: timers fire here.
  virtual void on_time(const Time& now) = 0;

  /// When on_time() is next needed even if nothing comes; nothing: never.
  virtual std::optional<SteadyTime> wake_at() const = 0;

  /// Makes this turn's changes durable, then appends what may be sent because of them to `out`.
  /// An error is one that this daemon must not survive (a failed fsync): run() returns it.
  virtual Result<> commit(const Time& now, std::vector<Frame>& out) = 0;

  /// False while frames of `channel` must wait in the transport (back-pressure). Asked every turn.
  virtual bool accepts(Channel /*channel*/) const { return true; }

  /// The topic prefixes a client wants from the bus; constant for the life of the Node.
  virtual std::vector<std::string> subscriptions() const { return {}; }

  /// True once the Node can do its work: a service, when the bus has answered its hello.
  virtual bool ready() const { return true; }

  /// Writes what the Node has counted onto `page`; called between turns, when somebody asks.
  virtual void measure(const Time& /*now*/, MetricsPage& /*page*/) const {}

  /// SIGHUP: read configuration anew.
  virtual void reload(const Time& /*now*/) {}

  /// SIGTERM or SIGINT: take on no more work. run() ends once drained() is true, or at its limit.
  virtual void drain(const Time& /*now*/) {}

  virtual bool drained() const { return true; }
};

}  // namespace conga
