// SPDX-License-Identifier: Apache-2.0
//
// Value: a read-only view of one msgpack object in bytes that somebody else owns.
//
// Bytes are checked once, by Value::parse(); after that reading is unchecked, allocates nothing
// and costs only what is looked at. Hand-written because it is the hot path of routing; the
// msgpack library writes (Packer) and is this reader's oracle in the tests.

#pragma once

#include "common/core/result.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace conga {

/// What a msgpack object from outside may be at most. Named after the config keys they come from.
struct ValueLimits {
  std::size_t max_size = std::size_t{1} << 20U;  ///< Bytes, the whole object.
  std::size_t max_depth = 64;                    ///< Nested arrays and maps; a scalar has depth 0.
};

class Value {
public:
  enum class Type : std::uint8_t { Null, Boolean, Integer, Double, String, Array, Map };

  class Elements;
  class Members;

  /// Null.
  Value();

  /// The object that `bytes` consists of: exactly one, nothing after it. Refused (Permanent) with
  /// a code: `Malformed` (truncated, a reserved byte, bin and ext types, which have no JSON form,
  /// a map key that is not a string, text that is not UTF-8, bytes left over), `TooLarge`,
  /// `TooDeep`. The message names the byte offset.
  static Result<Value> parse(std::string_view bytes, const ValueLimits& limits = {});

  /// As parse(), but takes the object off the front of `bytes`: for bodies of several objects.
  static Result<Value> take(std::string_view& bytes, const ValueLimits& limits = {});

  /// A view of bytes that have already passed parse(), such as those read back from the journal.
  static Value trusted(std::string_view bytes) { return Value(bytes.data()); }

  Type type() const;

  bool is_null() const { return type() == Type::Null; }

  bool is_string() const { return type() == Type::String; }

  bool is_array() const { return type() == Type::Array; }

  bool is_map() const { return type() == Type::Map; }

  bool is_number() const { return type() == Type::Integer || type() == Type::Double; }

  /// Nothing if the value has another type or does not fit.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> int64() const;
  std::optional<std::uint64_t> uint64() const;
  std::optional<double> number() const;  ///< Integers are converted, perhaps rounded.
  std::optional<std::string_view> string() const;

  /// How many elements or members; 0 for a scalar.
  std::size_t size() const;

  /// For ranged for; empty if the value is no array.
  Elements elements() const;

  /// For ranged for over pair<string_view, Value>; empty if the value is no map. Keys may repeat.
  Members members() const;

  /// The first member called `key`; nothing if there is none or the value is no map.
  std::optional<Value> find(std::string_view key) const;

  /// find() along `keys`: `event.at({"detail", "fare", "amount"})`.
  std::optional<Value> at(std::initializer_list<std::string_view> keys) const;

  /// Where the elements of an array begin, for a reader that walks over each of them once. Null if
  /// the value is no array.
  const char* content() const;

  /// The object's own bytes. Walks the object to find its end.
  std::string_view bytes() const;

  /// The object's own bytes if `rest` lies right behind it: not a walk, a subtraction.
  std::string_view bytes_up_to(std::string_view rest) const {
    return {at_, static_cast<std::size_t>(rest.data() - at_)};
  }

private:
  friend class Cursor;

  explicit Value(const char* at) : at_(at) {}

  const char* at_;
};

class Value::Elements {
public:
  class iterator {
  public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const Value*;
    using reference = Value;

    iterator(const char* at, std::size_t left) : at_(at), left_(left) {}

    Value operator*() const { return Value(at_); }

    iterator& operator++();

    friend bool operator==(const iterator& one, const iterator& other) {
      return one.left_ == other.left_;
    }

  private:
    const char* at_;
    std::size_t left_;
  };

  Elements(const char* at, std::size_t count) : at_(at), count_(count) {}

  iterator begin() const { return {at_, count_}; }

  iterator end() const { return {nullptr, 0}; }

private:
  const char* at_;
  std::size_t count_;
};

class Value::Members {
public:
  class iterator {
  public:
    using value_type = std::pair<std::string_view, Value>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const value_type*;
    using reference = value_type;

    iterator(const char* at, std::size_t left) : at_(at), left_(left) {}

    value_type operator*() const;
    iterator& operator++();

    friend bool operator==(const iterator& one, const iterator& other) {
      return one.left_ == other.left_;
    }

  private:
    const char* at_;
    std::size_t left_;
  };

  Members(const char* at, std::size_t count) : at_(at), count_(count) {}

  iterator begin() const { return {at_, count_}; }

  iterator end() const { return {nullptr, 0}; }

private:
  const char* at_;
  std::size_t count_;
};

}  // namespace conga
