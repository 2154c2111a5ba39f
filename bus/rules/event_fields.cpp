// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/event_fields.h"

#include "common/wire/event/cursor.h"

#include <algorithm>
#include <bit>

namespace conga::bus {

namespace {

/// The scalar that begins here; goes behind it.
Scalar take_scalar(Cursor& cursor) {
  if (cursor.kind() == Cursor::Kind::Text) return Scalar(cursor.take_text());
  const Value value = cursor.value();
  cursor.skip();
  return Scalar::of(value);
}

Scalar take_scalar(JsonCursor& cursor) {
  if (cursor.kind() == JsonCursor::Kind::Text) return Scalar(cursor.take_text());
  const JsonCursor at = cursor;
  cursor.skip();
  switch (at.letter()) {
    case 'l':
      return Scalar(Number(static_cast<std::int64_t>(at.bits())));
    case 'u':
      return Scalar(Number(at.bits()));
    case 'd':
      return Scalar(Number(std::bit_cast<double>(at.bits())));
    case 't':
      return Scalar(Scalar::Kind::True);
    case 'f':
      return Scalar(Scalar::Kind::False);
    default:
      return Scalar(Scalar::Kind::Null);
  }
}

}  // namespace

void EventFields::begin(std::size_t fields) {
  if (slots_.size() < fields) slots_.resize(fields);
  if (++turn_ == 0) {
    std::ranges::fill(slots_, Slot{});
    turn_ = 1;
  }
  count_ = 0;
  next_ = 0;
  element_ = kNone;
  fields_in_arrays_ = 0;
  elements_.clear();
  arrays_.clear();
}

void EventFields::read(const Value& event, const PathTrie& trie, std::size_t fields) {
  begin(fields);
  if (trie.is_leaf(PathTrie::kRoot)) return;
  Cursor cursor(event);
  map(cursor, PathTrie::kRoot, trie);
}

void EventFields::read(const JsonCursor& event, const PathTrie& trie, std::size_t fields) {
  begin(fields);
  if (trie.is_leaf(PathTrie::kRoot)) return;
  JsonCursor cursor = event;
  map(cursor, PathTrie::kRoot, trie);
}

template <class Source>
void EventFields::map(Source& cursor, PathTrie::Node node, const PathTrie& trie) {
  for (auto left = cursor.enter(); cursor.more(left);) {
    const PathTrie::Node child = trie.find(node, cursor.take_text());
    if (child == PathTrie::kNone) {
      cursor.skip();
    } else {
      any(cursor, child, trie);
    }
  }
}

template <class Source>
void EventFields::any(Source& cursor, PathTrie::Node node, const PathTrie& trie) {
  const auto kind = cursor.kind();
  if (kind == Source::Kind::Array) return array(cursor, node, trie);
  if (kind == Source::Kind::Map && !trie.is_leaf(node)) return map(cursor, node, trie);
  const std::uint32_t field = trie.field(node);
  if (kind == Source::Kind::Map || field == kNone) return cursor.skip();
  add(field, take_scalar(cursor));
}

template <class Source>
void EventFields::array(Source& cursor, PathTrie::Node node, const PathTrie& trie) {
  const auto array = static_cast<std::uint32_t>(arrays_.size());
  arrays_.push_back({next_, next_});
  const std::uint32_t outer = element_;
  for (auto left = cursor.enter(); cursor.more(left);) {
    const auto element = static_cast<std::uint32_t>(elements_.size());
    elements_.push_back({{next_, next_}, array, outer});
    element_ = element;
    any(cursor, node, trie);
    elements_[element].range.end = next_;
  }
  element_ = outer;
  arrays_[array].end = next_;
}

void EventFields::add(std::uint32_t field, const Scalar& value) {
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
  if (element_ != kNone && found.in_arrays++ == 0) ++fields_in_arrays_;
}

}  // namespace conga::bus
