// SPDX-License-Identifier: Apache-2.0
//
// EventBodies: the bytes of events. The newest ones are kept as they came from the link until they
// have been sent, for most deliveries are sent in the turn in which their event came; all others
// are read from the store.

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

  /// `bytes` lies in the message that was kept last, and is wanted for so many deliveries. A
  /// message is let go once all that it is wanted for was sent, or for want of room.
  void remember(Sequence sequence, std::string_view bytes, std::size_t deliveries);

  /// One of the event's deliveries has been sent.
  void sent(Sequence sequence);

  /// Valid until the next call of any function.
  Result<std::string_view> read(const EventRef& ref);

private:
  struct Message {
    std::unique_ptr<const std::string> text;  ///< Null: let go.
    Sequence last = 0;                        ///< The highest event in it.
    std::size_t unsent = 0;                   ///< Deliveries of its events.
  };

  struct Body {
    Sequence sequence = 0;
    std::string_view bytes;
    Message* message = nullptr;
  };

  const Body* find(Sequence sequence) const;
  void let_go(Message& message);
  void drop_oldest();

  EventStore& store_;
  std::size_t room_;
  std::size_t used_ = 0;
  std::deque<Message> messages_;  ///< Never moved.
  std::deque<Body> bodies_;       ///< In sequence order.
  std::string read_;
};

}  // namespace conga::bus
