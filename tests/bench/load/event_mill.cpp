// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/event_mill.h"

#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"

#include <cstring>

namespace conga::bench {
namespace {

constexpr std::size_t kPlaceholder = 0x7fff'ffff'ffff'ffff;
constexpr std::string_view kFirstKind = "kind-00000";
constexpr std::size_t kDigits = 5;

}  // namespace

EventMill::EventMill(std::size_t kinds, std::size_t size, Random& random)
    : ids_(random), kinds_(kinds), form_(form(size)) {
  id_at_ = form_.find(Uuid{}.text());
  kind_at_ = form_.find(kFirstKind) + kFirstKind.size() - kDigits;
}

std::pair<Uuid, std::string> EventMill::next(WallTime wall, std::uint64_t now) {
  const Uuid id = ids_.make(wall);
  std::string event = form_;
  count_up();
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

void EventMill::count_up() {
  kind_ = (kind_ + 1) % kinds_;
  std::size_t rest = kind_;
  for (std::size_t at = kDigits; at > 0; --at, rest /= 10) {
    form_[kind_at_ + at - 1] = static_cast<char>('0' + rest % 10);
  }
}

std::string EventMill::form(std::size_t size) {
  const std::string text = attempt(0);
  if (text.size() >= size) return text;
  // The length of a longer text takes up to two bytes more.
  std::size_t pad = size - text.size();
  while (pad > 0 && attempt(pad).size() > size) --pad;
  return attempt(pad);
}

std::string EventMill::attempt(std::size_t pad) {
  Event event;
  event.source = "bench.load";
  event.detail_type = "LoadPut";
  event.time = WallTime(std::chrono::hours(24 * 365 * 50));
  Packer packer(event.detail);
  packer.map(4).key("kind").string(kFirstKind).key("amount").integer(4711);
  packer.key("pad").string(std::string(pad, 'p')).key("sent").unsigned_integer(kPlaceholder);
  return encode(event);
}

}  // namespace conga::bench
