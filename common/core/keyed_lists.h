// SPDX-License-Identifier: Apache-2.0
//
// KeyedLists: values that are found by key, each in one of several lists, in the order in which it
// came there. All of them share their memory, which is used again: none is allocated for itself.

#pragma once

#include "common/core/check.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <tsl/robin_map.h>
#include <utility>
#include <vector>

namespace conga {

/// Lists are numbered, and there as soon as something is put into them; low numbers take less
/// memory. Every step takes the same time, however many values there are.
template <class Key, class Value>
class KeyedLists {
public:
  /// A value, until it is taken out.
  enum class Entry : std::uint32_t {};

  /// At the end of `list`. Nothing: the key is there already.
  std::optional<Entry> add(const Key& key, std::size_t list, Value value) {
    const auto [place, is_new] = index_.try_emplace(key, Entry{});
    if (!is_new) return std::nullopt;
    const Entry entry = free_entry();
    place.value() = entry;
    Slot& slot = at(entry);
    slot.key = key;
    slot.value = std::move(value);
    link(entry, list);
    return entry;
  }

  /// Nothing: it is not there.
  std::optional<Entry> find(const Key& key) const {
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    return found->second;
  }

  Value& operator[](Entry entry) { return at(entry).value; }

  const Value& operator[](Entry entry) const { return at(entry).value; }

  const Key& key_of(Entry entry) const { return at(entry).key; }

  std::size_t list_of(Entry entry) const { return at(entry).list; }

  /// To the end of `list`.
  void move(Entry entry, std::size_t list) {
    unlink(entry);
    link(entry, list);
  }

  Value take(Entry entry) {
    unlink(entry);
    index_.erase(at(entry).key);
    free_.push_back(entry);
    return std::move(at(entry).value);
  }

  /// The first of a list; nothing: it is empty.
  std::optional<Entry> front(std::size_t list) const {
    if (size(list) == 0) return std::nullopt;
    return lists_[list].first;
  }

  std::size_t size(std::size_t list) const { return list < lists_.size() ? lists_[list].size : 0; }

  std::size_t size() const { return index_.size(); }

  /// In the order of the list.
  template <class Visit>
  void for_each(std::size_t list, Visit visit) {
    Entry entry = front(list).value_or(Entry{});
    for (std::size_t left = size(list); left > 0; --left, entry = at(entry).next) {
      visit(at(entry).value);
    }
  }

  /// In no order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, entry] : index_) visit(key, at(entry).value);
  }

private:
  struct Slot {
    Key key{};
    Value value{};
    std::size_t list = 0;
    Entry previous{};  ///< If there is one; so the next.
    Entry next{};
  };

  struct List {
    Entry first{};  ///< If it is not empty; so the next.
    Entry last{};
    std::size_t size = 0;
  };

  Slot& at(Entry entry) { return slots_[static_cast<std::size_t>(entry)]; }

  const Slot& at(Entry entry) const { return slots_[static_cast<std::size_t>(entry)]; }

  /// The one given back last: it is in the processor's cache still.
  Entry free_entry() {
    if (free_.empty()) {
      slots_.emplace_back();
      return static_cast<Entry>(slots_.size() - 1);
    }
    const Entry entry = free_.back();
    free_.pop_back();
    return entry;
  }

  void link(Entry entry, std::size_t number) {
    if (number >= lists_.size()) lists_.resize(number + 1);
    List& list = lists_[number];
    Slot& slot = at(entry);
    slot.list = number;
    slot.previous = list.last;
    (list.size == 0 ? list.first : at(list.last).next) = entry;
    list.last = entry;
    ++list.size;
  }

  void unlink(Entry entry) {
    const Slot& slot = at(entry);
    List& list = lists_[slot.list];
    CONGA_CHECK(list.size > 0, "an entry is taken out twice");
    if (entry == list.first) {
      list.first = slot.next;
    } else {
      at(slot.previous).next = slot.next;
    }
    if (entry == list.last) {
      list.last = slot.previous;
    } else {
      at(slot.next).previous = slot.previous;
    }
    --list.size;
  }

  std::deque<Slot> slots_;  ///< Never moved.
  std::vector<Entry> free_;
  std::vector<List> lists_;
  tsl::robin_map<Key, Entry> index_;
};

}  // namespace conga
