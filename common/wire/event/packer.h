// SPDX-License-Identifier: Apache-2.0
//
// Packer: writes msgpack, always in its shortest form, onto the end of a string.

#pragma once

#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

/// `Packer(body).array(2).string(id).string("ok");` The caller sees to it that as many objects
/// follow an array or map header as it announces (a map: twice as many, keys and values).
class Packer {
public:
  /// `out` must outlive the Packer, and is only appended to.
  explicit Packer(std::string& out) : out_(out) {}

  Packer& null();
  Packer& boolean(bool value);
  Packer& integer(std::int64_t value);
  Packer& unsigned_integer(std::uint64_t value);
  Packer& number(double value);  ///< Always as a float 64, so that 3.0 stays a double.
  Packer& string(std::string_view text);
  Packer& array(std::size_t size);
  Packer& strings(const std::vector<std::string>& texts);  ///< An array of them.
  Packer& map(std::size_t size);

  /// A map key: the same as string(), and reads better.
  Packer& key(std::string_view name) { return string(name); }

  /// An object that is already msgpack.
  Packer& raw(std::string_view bytes);

  Packer& value(const Value& value) { return raw(value.bytes()); }

private:
  std::string& out_;
};

}  // namespace conga
