// SPDX-License-Identifier: Apache-2.0
//
// Transport: the seam between a Node's turn and the network and signals around it. ZmqTransport is
// the real one.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/runtime/node.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace conga {

/// What came since the last poll. The vectors keep their capacity from turn to turn.
struct Arrivals {
  std::vector<Frame> frames;
  std::vector<Presence> presences;
  bool reload = false;  ///< SIGHUP came.
  bool stop = false;    ///< SIGTERM or SIGINT came.
};

/// How much one poll may bring, so that a turn, and with it an answer's latency, stays bounded.
struct TurnLimits {
  std::size_t frames = 4096;
  std::size_t bytes = std::size_t{1} << 20U;
};

/// What could not be sent or read, since the start. What a PUB or XPUB drops for a slow subscriber,
/// libzmq does not tell.
struct TransportStats {
  std::uint64_t dropped = 0;    ///< Not sent: no peer, or its queue was full.
  std::uint64_t malformed = 0;  ///< Received: not exactly two frames, or no subscription.
};

class Transport {
public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Waits until something comes on a channel that `accepts`, a signal comes, or `wait` is over
  /// (nothing: no limit), and replaces the content of `arrivals` by what is there.
  virtual Result<> poll(std::optional<Duration> wait,
                        const std::function<bool(Channel)>& accepts,
                        Arrivals& arrivals) = 0;

  /// Never blocks. What cannot be sent now is dropped and counted: the protocol repeats it.
  virtual void send(Frame frame) = 0;
};

}  // namespace conga
