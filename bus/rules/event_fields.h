// SPDX-License-Identifier: Apache-2.0
//
// EventFields: the values of one event at the paths that rules name, found in one pass over its
// bytes, with the array elements that they lie in.
//
// Values are numbered in the order of the event, so each array and each element is a range of
// numbers, and "these two values lie in different elements of one array" is a comparison of ranges.

#pragma once

#include "bus/rules/path_trie.h"
#include "bus/rules/scalar.h"
#include "common/wire/event/json_tape.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace conga::bus {

/// Kept between events: after warm-up, read() does not allocate.
class EventFields {
public:
  static constexpr std::uint32_t kNone = PathTrie::kNone;

  /// Values numbered from `begin` up to and not including `end`.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    bool holds(std::uint32_t number) const { return begin <= number && number < end; }
  };

  struct Element {
    Range range;
    std::uint32_t array = 0;
    std::uint32_t parent = kNone;  ///< The element that the array lies in.
  };

  struct Found {
    Scalar value;
    std::uint32_t number = 0;
    std::uint32_t element = kNone;  ///< The innermost.
  };

  struct Field {
    std::uint32_t field = 0;
    std::uint32_t in_arrays = 0;  ///< How many of the values lie in arrays.
    std::vector<Found> values;    ///< Ascending by number.
  };

  /// Replaces what was found before. `event` is a map; `fields` is how many the trie has.
  void read(const Value& event, const PathTrie& trie, std::size_t fields);

  /// The same of an event on a tape, which must outlive what is found.
  void read(const JsonCursor& event, const PathTrie& trie, std::size_t fields);

  /// How many fields have values in arrays.
  std::uint32_t fields_in_arrays() const { return fields_in_arrays_; }

  /// The fields with values.
  std::span<const Field> present() const { return {found_.data(), count_}; }

  /// Null if there is no value.
  const Field* find(std::uint32_t field) const {
    const Slot& slot = slots_[field];
    return slot.turn == turn_ ? &found_[slot.position] : nullptr;
  }

  const Element& element(std::uint32_t position) const { return elements_[position]; }

  const Range& array(std::uint32_t position) const { return arrays_[position]; }

private:
  struct Slot {
    std::uint32_t turn = 0;
    std::uint32_t position = 0;
  };

  void begin(std::size_t fields);
  template <class Source>
  void map(Source& cursor, PathTrie::Node node, const PathTrie& trie);
  template <class Source>
  void array(Source& cursor, PathTrie::Node node, const PathTrie& trie);
  template <class Source>
  void any(Source& cursor, PathTrie::Node node, const PathTrie& trie);
  void add(std::uint32_t field, const Scalar& value);

  std::vector<Slot> slots_;
  std::vector<Field> found_;  ///< The first count_ are this event's.
  std::vector<Element> elements_;
  std::vector<Range> arrays_;
  std::size_t count_ = 0;
  std::uint32_t turn_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t element_ = kNone;
  std::uint32_t fields_in_arrays_ = 0;
};

}  // namespace conga::bus
