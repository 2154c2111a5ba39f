// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/reasons.h"

#include "common/core/check.h"

namespace conga::bus {
namespace {

constexpr std::string_view kDropped = "(too many different messages are kept already)";

std::string key_of(std::string_view code, std::string_view message) {
  std::string key(code);
  key += '\n';
  key += message;
  return key;
}

}  // namespace

std::string_view cut_text(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  constexpr unsigned kMask = 0xc0;
  constexpr unsigned kContinuation = 0x80;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & kMask) == kContinuation) --size;
  return text.substr(0, size);
}

Reasons::Reasons() : entries_(1) {}

Reasons::Id Reasons::keep(std::string_view code, std::string_view message) {
  code = cut_text(code, kMaxCode);
  message = cut_text(message, kMaxMessage);
  std::string key = key_of(code, message);
  auto found = ids_.find(key);
  // Codes are stable words; were they not, they would be bounded no better than messages.
  if (found == ids_.end() && ids_.size() >= kMaxReasons) {
    message = kDropped;
    if (ids_.size() >= 2 * kMaxReasons) code = "Other";
    key = key_of(code, message);
    found = ids_.find(key);
  }
  if (found != ids_.end()) {
    ++entries_[found->second].uses;
    return found->second;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<Id>(entries_.size()));
    entries_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  entries_[id].reason = Reason{.code = std::string(code), .message = std::string(message)};
  entries_[id].uses = 1;
  ids_.emplace(std::move(key), id);
  return id;
}

void Reasons::release(Id id) {
  if (id == kNone) return;
  Entry& entry = entries_[id];
  CONGA_CHECK(entry.uses > 0, "a reason was released more often than kept");
  if (--entry.uses > 0) return;
  ids_.erase(key_of(entry.reason.code, entry.reason.message));
  entry.reason = Reason{};
  free_.push_back(id);
}

}  // namespace conga::bus
