// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/event_mill.h"

#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"

#include <cstring>

namespace conga::bench {
namespace {

constexpr std::size_t kPlaceholder = 0x7fff'ffff'ffff'ffff;

}  // namespace

EventMill::EventMill(std::size_t kinds, std::size_t size, Random& random) : ids_(random) {
  for (std::size_t kind = 0; kind < kinds; ++kind) forms_.push_back(form(kind, size));
}

std::pair<Uuid, std::string> EventMill::next(WallTime wall, std::uint64_t now) {
  const Uuid id = ids_.make(wall);
  std::string event = forms_[turn_];
  turn_ = (turn_ + 1) % forms_.size();
  const std::string text = id.text();
  std::memcpy(event.data() + id_at_, text.data(), text.size());
  for (unsigned at = 0; at < 8; ++at) {
    event[event.size() - 1 - at] = static_cast<char>(now >> (8 * at));
  }
  return {id, std::move(event)};
}

std::uint64_t EventMill::sent(std::string_view event) {
  std::uint64_t sent = 0;
  for (const char byte : event.substr(event.size() - 8)) {
    sent = sent << 8U | static_cast<unsigned char>(byte);
  }
  return sent;
}

std::string EventMill::form(std::size_t kind, std::size_t size) {
  std::string text = attempt(kind, 0);
  if (text.size() < size) text = attempt(kind, size - text.size());
  while (text.size() > size && pad_ > 0) text = attempt(kind, pad_ - 1);
  id_at_ = text.find(Uuid{}.text());
  return text;
}

std::string EventMill::attempt(std::size_t kind, std::size_t pad) {
  pad_ = pad;
  Event event;
  event.source = "bench.load";
  event.detail_type = "LoadPut";
  event.time = WallTime(std::chrono::hours(24 * 365 * 50));
  Packer packer(event.detail);
  packer.map(4).key("kind").string("kind-" + std::to_string(kind)).key("amount").integer(4711);
  packer.key("pad").string(std::string(pad, 'p')).key("sent").unsigned_integer(kPlaceholder);
  return encode(event);
}

}  // namespace conga::bench
