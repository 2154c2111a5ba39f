// SPDX-License-Identifier: Apache-2.0
//
// JsonTape: a JSON text, checked as a whole and laid out so that it can be walked like msgpack
// without becoming msgpack first. JsonCursor walks it; it has Cursor's functions.
//
// It declines what only the exact reader of json.h can tell: wrong texts (and why), numbers beyond
// 64 bits or a double's range.

#pragma once

#include "common/wire/event/cursor.h"
#include "common/wire/event/value.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace conga {

/// Reads simdjson's tape: a word per object, its kind in the first byte.
/// https://github.com/simdjson/simdjson/blob/master/doc/tape.md
class JsonCursor {
public:
  using Kind = MsgpackShape::Kind;

  JsonCursor(const std::uint64_t* tape, const char* texts)
      : tape_(tape), at_(tape + 1), texts_(texts) {}

  Kind kind() const {
    if (letter() == '"') return Kind::Text;
    if (letter() == '{') return Kind::Map;
    return letter() == '[' ? Kind::Array : Kind::Scalar;
  }

  /// Of a scalar that is no text: `n`, `f`, `t`, or a number: `l` signed, `u` unsigned, `d` double.
  char letter() const { return static_cast<char>(*at_ >> 56U); }

  /// A number's bits.
  std::uint64_t bits() const { return at_[1]; }

  /// Goes into an array or map; more() tells when it ends.
  int enter() {
    ++at_;
    return 0;
  }

  bool more(int /*entered*/) {
    if (letter() != ']' && letter() != '}') return true;
    ++at_;
    return false;
  }

  /// Goes behind the text.
  std::string_view take_text() {
    const char* const text = texts_ + payload();
    std::uint32_t size = 0;
    std::memcpy(&size, text, sizeof size);
    ++at_;
    return {text + sizeof size, size};
  }

  /// Goes behind the object, whatever it is.
  void skip() {
    switch (letter()) {
      case '{':
      case '[':
        at_ = tape_ + static_cast<std::uint32_t>(payload());
        break;
      case 'l':
      case 'u':
      case 'd':
        at_ += 2;
        break;
      default:
        ++at_;
        break;
    }
  }

private:
  std::uint64_t payload() const { return *at_ & 0x00FFFFFFFFFFFFFFULL; }

  const std::uint64_t* tape_;
  const std::uint64_t* at_;
  const char* texts_;
};

/// Kept between texts: after warm-up it does not allocate.
class JsonTape {
public:
  JsonTape();
  JsonTape(JsonTape&&) noexcept;
  JsonTape& operator=(JsonTape&&) noexcept;
  ~JsonTape();

  /// False: ask json_to_msgpack(), which knows whether and why `json` is wrong.
  bool read(std::string_view json, const ValueLimits& limits = {});

  /// Of the text read last; until the next read().
  JsonCursor root() const;

private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
};

}  // namespace conga
