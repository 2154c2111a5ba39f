// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/event_bodies.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

std::string_view EventBodies::keep(std::string message) {
  if (!messages_.empty() && messages_.back().unsent == 0) let_go(messages_.back());
  used_ += message.size();
  messages_.push_back({.text = std::make_unique<const std::string>(std::move(message))});
  while (used_ > room_ && messages_.size() > 1) {
    let_go(messages_.front());
    drop_oldest();
  }
  while (messages_.size() > 1 && !messages_.front().text) drop_oldest();
  return *messages_.back().text;
}

void EventBodies::remember(Sequence sequence, std::string_view bytes, std::size_t deliveries) {
  Message& message = messages_.back();
  message.last = sequence;
  message.unsent += deliveries;
  bodies_.push_back({sequence, bytes, &message});
}

void EventBodies::sent(Sequence sequence) {
  const Body* const body = find(sequence);
  if (body == nullptr || body->message->unsent == 0) return;
  const bool last = --body->message->unsent == 0;
  if (last && body->message != &messages_.back()) let_go(*body->message);
}

/// Its memory is used again at once, while it is still in the processor's cache.
void EventBodies::let_go(Message& message) {
  if (!message.text) return;
  used_ -= message.text->size();
  message.text.reset();
}

void EventBodies::drop_oldest() {
  const Sequence last = messages_.front().last;
  while (!bodies_.empty() && bodies_.front().sequence <= last) bodies_.pop_front();
  messages_.pop_front();
}

const EventBodies::Body* EventBodies::find(Sequence sequence) const {
  if (bodies_.empty() || sequence < bodies_.front().sequence) return nullptr;
  // Numbers seldom have gaps.
  const Sequence guess = sequence - bodies_.front().sequence;
  auto found = bodies_.begin() + static_cast<std::ptrdiff_t>(std::min(guess, bodies_.size() - 1));
  if (found->sequence != sequence) {
    found = std::ranges::lower_bound(bodies_, sequence, {}, &Body::sequence);
  }
  const bool known = found != bodies_.end() && found->sequence == sequence;
  return known && found->message->text ? &*found : nullptr;
}

Result<std::string_view> EventBodies::read(const EventRef& ref) {
  if (const Body* const kept = find(ref.sequence)) return kept->bytes;
  auto event = store_.read(ref);
  if (!event) return event.failure();
  read_ = std::move(event->bytes);
  return std::string_view(read_);
}

}  // namespace conga::bus
