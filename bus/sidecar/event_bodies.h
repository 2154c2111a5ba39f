// SPDX-License-Identifier: Apache-2.0
//
// EventBodies: the bytes of events. The newest ones are kept as they came from the link, for most
// deliveries are sent in the turn in which their event came; all others are read from the store.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/result.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace conga::bus {

class EventBodies {
public:
  /// Keeps at most about `room` bytes.
  EventBodies(EventStore& store, std::size_t room) : store_(store), room_(room) {}

  /// Takes a message over; views into the returned text stay valid while it is kept, that is
  /// until the next call of keep().
  std::string_view keep(std::string message);

  /// `bytes` lies in the message that was kept last.
  void remember(Sequence sequence, std::string_view bytes);

  /// Valid until the next call of any function.
  Result<std::string_view> read(const EventRef& ref);

private:
  struct Message {
    std::unique_ptr<const std::string> text;  ///< On the heap, so that views survive a move.
    Sequence last = 0;                        ///< The highest event in it.
  };

  struct Body {
    Sequence sequence = 0;
    std::string_view bytes;
  };

  const Body* find(Sequence sequence) const;

  EventStore& store_;
  std::size_t room_;
  std::size_t used_ = 0;
  std::deque<Message> messages_;
  std::deque<Body> bodies_;  ///< In sequence order.
  std::string read_;
};

}  // namespace conga::bus
