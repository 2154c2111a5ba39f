// SPDX-License-Identifier: Apache-2.0
//
// Cursor: reads msgpack that has been checked before from front to back, each byte once. Value is
// for looking things up; this is for whoever must see a whole event at the speed of the wire.

#pragma once

#include "common/wire/event/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace conga {

/// What the first byte of a msgpack object says about it.
struct MsgpackShape {
  enum class Kind : std::uint8_t { Scalar, Text, Array, Map };

  Kind kind = Kind::Scalar;
  std::uint8_t size = 1;  ///< Of a scalar with its first byte, else of the head.
  std::uint8_t mask = 0;  ///< The bits of the first byte that are the length, if there are any.
};

/// https://github.com/msgpack/msgpack/blob/master/spec.md
constexpr MsgpackShape msgpack_shape(unsigned first) {
  using Kind = MsgpackShape::Kind;
  const auto sized = [](unsigned exponent) {
    return static_cast<std::uint8_t>(1U + (1U << exponent));
  };
  if (first < 0x80 || first >= 0xe0) return {Kind::Scalar, 1, 0};
  if (first < 0x90) return {Kind::Map, 1, 0x0f};
  if (first < 0xa0) return {Kind::Array, 1, 0x0f};
  if (first < 0xc0) return {Kind::Text, 1, 0x1f};
  if (first < 0xca) return {Kind::Scalar, 1, 0};
  if (first < 0xcc) return {Kind::Scalar, sized(first - 0xc8), 0};
  if (first < 0xd4) return {Kind::Scalar, sized(first % 4), 0};
  if (first < 0xd9) return {Kind::Scalar, 1, 0};
  if (first < 0xdc) return {Kind::Text, sized(first - 0xd9), 0};
  return {first < 0xde ? Kind::Array : Kind::Map, sized(1 + first % 2), 0};
}

inline constexpr std::array<MsgpackShape, 256> kMsgpackShapes = [] {
  std::array<MsgpackShape, 256> shapes{};
  for (unsigned first = 0; first < shapes.size(); ++first) shapes[first] = msgpack_shape(first);
  return shapes;
}();

/// How to go over an object whose first byte tells all: the bytes to go on by, and how many objects
/// are inside. No advance: the length is in the bytes that follow.
struct MsgpackStep {
  std::uint8_t advance = 0;
  std::uint8_t inside = 0;
};

inline constexpr std::array<MsgpackStep, 256> kMsgpackSteps = [] {
  using Kind = MsgpackShape::Kind;
  std::array<MsgpackStep, 256> steps{};
  for (unsigned first = 0; first < steps.size(); ++first) {
    const MsgpackShape shape = msgpack_shape(first);
    const auto length = static_cast<std::uint8_t>(first & shape.mask);
    if (shape.kind == Kind::Scalar) {
      steps[first] = {shape.size, 0};
    } else if (shape.kind == Kind::Text && shape.size == 1) {
      steps[first] = {static_cast<std::uint8_t>(1U + length), 0};
    } else if (shape.size == 1) {
      const unsigned each = shape.kind == Kind::Map ? 2 : 1;
      steps[first] = {1, static_cast<std::uint8_t>(each * length)};
    }
  }
  return steps;
}();

/// The bytes must have passed Value::parse(), and outlive the Cursor.
class Cursor {
public:
  using Kind = MsgpackShape::Kind;

  explicit Cursor(const Value& value) : at_(value.at_) {}

  /// The object that begins here.
  Value value() const { return Value(at_); }

  Kind kind() const { return kMsgpackShapes[byte()].kind; }

  /// Of an array or map; goes on to its first child. A map's children are keys and values.
  std::size_t enter() { return length(); }

  /// After enter(): whether there is one more child (of a map: key and value). `left`: what enter()
  /// returned.
  static bool more(std::size_t& left) { return left-- > 0; }

  /// Goes behind the text, as a key is.
  std::string_view take_text() {
    const bool is_short = (byte() & 0xe0U) == 0xa0;
    const std::size_t size = is_short ? short_length() : length();
    const std::string_view text(at_, size);
    at_ += size;
    return text;
  }

  /// Goes behind the object, whatever it is.
  void skip() {
    for (std::size_t left = 1; left > 0; --left) {
      const MsgpackStep step = kMsgpackSteps[byte()];
      if (step.advance == 0) {
        left += skip_long();
      } else {
        at_ += step.advance;
        left += step.inside;
      }
    }
  }

private:
  std::uint8_t byte() const { return static_cast<std::uint8_t>(*at_); }

  /// Goes behind a text, or into an array or map, and tells how many objects are inside.
  std::size_t skip_long() {
    const Kind kind = this->kind();
    const std::size_t size = length();
    if (kind == Kind::Text) at_ += size;
    if (kind == Kind::Text) return 0;
    return kind == Kind::Map ? 2 * size : size;
  }

  std::size_t short_length() { return static_cast<std::uint8_t>(*at_++) & 0x1fU; }

  /// Reads a head and goes behind it.
  std::size_t length() {
    const MsgpackShape& shape = kMsgpackShapes[byte()];
    std::size_t length = byte() & shape.mask;
    for (std::size_t read = 1; read < shape.size; ++read) {
      length = length << 8U | static_cast<std::uint8_t>(at_[read]);
    }
    at_ += shape.size;
    return length;
  }

  const char* at_;
};

}  // namespace conga
