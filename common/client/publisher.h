// SPDX-License-Identifier: Apache-2.0
//
// Publisher: the part of a client that gets events onto the bus for certain. It keeps every event
// until its put-result has come, in a bounded window, and puts it again with the same id after a
// timeout. It is given frames and the time like a Node, and is embedded in one.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/runtime/node.h"
#include "common/wire/messages.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

struct PublisherOptions {
  std::size_t window = 1024;  ///< Events put and not yet answered, 1 to 100 000.
  std::size_t batch_bytes =
      std::size_t{256} * 1024;  ///< A put message is closed when it is this big.
  Duration retransmit_initial = std::chrono::seconds(1);  ///< Doubles with each repeat …
  Duration retransmit_max = std::chrono::seconds(10);     ///< … up to this.
};

class Publisher {
public:
  /// `client` is the name that put-results are addressed to: valid, and unique per process.
  Publisher(const std::string& client, PublisherOptions options);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  /// True while another event may be offered.
  bool has_room() const;

  /// Takes the event on; it goes out with the next collect(). `has_room()` must be true. An id
  /// that is already in the window is ignored: it is on its way.
  void offer(const Uuid& id, std::string event);

  /// Offers nothing new until hello is answered: collect() is silent before.
  void set_online(bool online);

  /// A `put-result/CLIENT` frame. Results for ids that are not in the window are ignored.
  void on_put_results(const Time& now, std::string_view body);

  /// Moves what is due for (re)transmission into `out`, batched.
  void collect(const Time& now, std::vector<Frame>& out);

  /// When collect() has something to send; a time long past: now.
  std::optional<SteadyTime> wake_at() const;

  /// Events that left the window since the last call: accepted, or refused for good. Retryable
  /// refusals stay in the window and are put again.
  std::vector<PutResult> take_results();

  std::size_t in_window() const;
  std::uint64_t retransmissions() const;

private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace conga
