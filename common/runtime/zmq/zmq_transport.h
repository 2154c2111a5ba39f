// SPDX-License-Identifier: Apache-2.0
//
// ZmqTransport: Transport over ZeroMQ sockets and signals, all in one poll set. The only user of
// libzmq. Each socket option that it sets answers something that libzmq does otherwise by default;
// docs/operations.md, "Sockets", says what.

#pragma once

#include "common/core/result.h"
#include "common/log/log.h"
#include "common/runtime/signals.h"
#include "common/runtime/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace conga {

struct ZmqOptions {
  Duration heartbeat = std::chrono::milliseconds(300);   ///< A silent peer is asked …
  Duration heartbeat_timeout = std::chrono::seconds(1);  ///< … and given up after this.
  Duration reconnect_initial = std::chrono::milliseconds(50);
  Duration reconnect_max = std::chrono::seconds(1);
  Duration linger = std::chrono::milliseconds(500);  ///< What is unsent at the end gets this long.
  std::int64_t max_message = std::int64_t{32} << 20U;        ///< Bytes; a larger one ends its peer.
  std::int64_t max_link_message = std::int64_t{256} << 20U;  ///< The table of all targets is one.
  int backlog = 1024;            ///< Clients that connect at once, as after a restart of the bus.
  int high_water_mark = 10'000;  ///< Messages queued for a peer; beyond, the peer misses some.
  TurnLimits turn;
  /// Ends a poll while it is readable: work that was done outside the loop. Its owner reads it.
  std::optional<int> wake_descriptor = {};
};

class ZmqTransport final : public Transport {
public:
  /// conga-bus: binds XSUB at `publish` and XPUB at `subscribe`, connects to the sidecar's `link`
  /// (empty: no link, the sidecar is embedded). `signals` may be null; it and `log` must outlive
  /// the transport.
  static Result<std::unique_ptr<ZmqTransport>> forwarder(const std::string& publish,
                                                         const std::string& subscribe,
                                                         const std::string& link,
                                                         const ZmqOptions& options,
                                                         Signals* signals,
                                                         Log& log);

  /// A client or service: connects PUB to the bus's `publish` and SUB to its `subscribe`.
  static Result<std::unique_ptr<ZmqTransport>> client(const std::string& publish,
                                                      const std::string& subscribe,
                                                      const std::vector<std::string>& topics,
                                                      const ZmqOptions& options,
                                                      Signals* signals,
                                                      Log& log);

  /// conga-sidecar: binds `link`.
  static Result<std::unique_ptr<ZmqTransport>> sidecar(const std::string& link,
                                                       const ZmqOptions& options,
                                                       Signals* signals,
                                                       Log& log);

  /// Between the two, for tests: binds `link` for the bus (Channel::Bus) and connects to the
  /// sidecar's `onward` (Channel::Link).
  static Result<std::unique_ptr<ZmqTransport>> link_relay(const std::string& link,
                                                          const std::string& onward,
                                                          const ZmqOptions& options,
                                                          Signals* signals,
                                                          Log& log);

  ~ZmqTransport() override;
  ZmqTransport(const ZmqTransport&) = delete;
  ZmqTransport& operator=(const ZmqTransport&) = delete;

  Result<> poll(std::optional<Duration> wait,
                const std::function<bool(Channel)>& accepts,
                Arrivals& arrivals) override;
  void send(Frame frame) override;

  const TransportStats& stats() const;

  /// Where the socket of `channel` is bound or connected, with the port that `tcp://…:*` chose.
  std::string endpoint(Channel channel) const;

private:
  struct State;

  explicit ZmqTransport(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace conga
