// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/event_fields.h"

#include <algorithm>

namespace conga::bus {

void EventFields::read(const Value& event, const PathTrie& trie, std::size_t fields) {
  if (slots_.size() < fields) slots_.resize(fields);
  if (++turn_ == 0) {
    std::ranges::fill(slots_, Slot{});
    turn_ = 1;
  }
  count_ = 0;
  next_ = 0;
  element_ = kNone;
  elements_.clear();
  arrays_.clear();
  if (trie.is_leaf(PathTrie::kRoot)) return;
  Cursor cursor(event);
  map(cursor, PathTrie::kRoot, trie);
}

void EventFields::map(Cursor& cursor, PathTrie::Node node, const PathTrie& trie) {
  for (std::size_t left = cursor.enter(); left > 0; --left) {
    const PathTrie::Node child = trie.find(node, cursor.take_text());
    if (child == PathTrie::kNone) {
      cursor.skip();
    } else {
      any(cursor, child, trie);
    }
  }
}

void EventFields::any(Cursor& cursor, PathTrie::Node node, const PathTrie& trie) {
  const Cursor::Kind kind = cursor.kind();
  if (kind == Cursor::Kind::Array) return array(cursor, node, trie);
  if (kind == Cursor::Kind::Map && !trie.is_leaf(node)) return map(cursor, node, trie);
  const std::uint32_t field = trie.field(node);
  if (kind != Cursor::Kind::Map && field != kNone) add(field, cursor.value());
  cursor.skip();
}

void EventFields::array(Cursor& cursor, PathTrie::Node node, const PathTrie& trie) {
  const auto array = static_cast<std::uint32_t>(arrays_.size());
  arrays_.push_back({next_, next_});
  const std::uint32_t outer = element_;
  for (std::size_t left = cursor.enter(); left > 0; --left) {
    const auto element = static_cast<std::uint32_t>(elements_.size());
    elements_.push_back({{next_, next_}, array, outer});
    element_ = element;
    any(cursor, node, trie);
    elements_[element].range.end = next_;
  }
  element_ = outer;
  arrays_[array].end = next_;
}

void EventFields::add(std::uint32_t field, const Value& value) {
  Slot& slot = slots_[field];
  if (slot.turn != turn_) {
    slot = {turn_, static_cast<std::uint32_t>(count_)};
    if (count_ == found_.size()) found_.emplace_back();
    Field& fresh = found_[count_++];
    fresh.field = field;
    fresh.in_arrays = 0;
    fresh.values.clear();
  }
  Field& found = found_[slot.position];
  found.values.push_back({value, next_++, element_});
  if (element_ != kNone) ++found.in_arrays;
}

}  // namespace conga::bus
