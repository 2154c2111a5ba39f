// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/event_bodies.h"

#include <algorithm>
#include <utility>

namespace conga::bus {

std::string_view EventBodies::keep(std::string message) {
  used_ += message.size();
  messages_.push_back({std::make_unique<const std::string>(std::move(message)), 0});
  while (used_ > room_ && messages_.size() > 1) {
    const Message& oldest = messages_.front();
    while (!bodies_.empty() && bodies_.front().sequence <= oldest.last) bodies_.pop_front();
    used_ -= oldest.text->size();
    messages_.pop_front();
  }
  return *messages_.back().text;
}

void EventBodies::remember(Sequence sequence, std::string_view bytes) {
  messages_.back().last = sequence;
  bodies_.push_back({sequence, bytes});
}

const EventBodies::Body* EventBodies::find(Sequence sequence) const {
  if (bodies_.empty() || sequence < bodies_.front().sequence) return nullptr;
  // Numbers seldom have gaps.
  const Sequence guess = sequence - bodies_.front().sequence;
  if (guess < bodies_.size() && bodies_[guess].sequence == sequence) return &bodies_[guess];
  const auto found = std::lower_bound(
      bodies_.begin(), bodies_.end(), sequence, [](const Body& body, Sequence wanted) {
        return body.sequence < wanted;
      });
  return found != bodies_.end() && found->sequence == sequence ? &*found : nullptr;
}

Result<std::string_view> EventBodies::read(const EventRef& ref) {
  if (const Body* const kept = find(ref.sequence)) return kept->bytes;
  auto event = store_.read(ref);
  if (!event) return event.failure();
  read_ = std::move(event->bytes);
  return std::string_view(read_);
}

}  // namespace conga::bus
