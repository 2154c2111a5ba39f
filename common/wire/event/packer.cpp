// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/packer.h"

#include <msgpack.hpp>

#include <bit>
#include <cstddef>

namespace conga {
namespace {

/// What msgpack::packer writes to.
class Appender {
public:
  explicit Appender(std::string& out) : out_(out) {}

  void write(const char* bytes, std::size_t size) { out_.append(bytes, size); }

private:
  std::string& out_;
};

/// Sizes are those of containers in memory, and events are limited to far below 4 GiB.
std::uint32_t narrow(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

}  // namespace

Packer& Packer::null() {
  Appender sink(out_);
  msgpack::packer<Appender>(sink).pack_nil();
  return *this;
}

Packer& Packer::boolean(bool value) {
  Appender sink(out_);
  msgpack::packer<Appender> packer(sink);
  value ? packer.pack_true() : packer.pack_false();
  return *this;
}

Packer& Packer::integer(std::int64_t value) {
  Appender sink(out_);
  msgpack::packer<Appender>(sink).pack_int64(value);
  return *this;
}

Packer& Packer::unsigned_integer(std::uint64_t value) {
  Appender sink(out_);
  msgpack::packer<Appender>(sink).pack_uint64(value);
  return *this;
}

Packer& Packer::number(double value) {
  // Not msgpack's pack_double(): it turns whole numbers into integers, and 3.0 must stay a double.
  constexpr char kFloat64 = static_cast<char>(0xcb);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_.push_back(kFloat64);
  for (int shift = 56; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(bits >> shift));
  return *this;
}

Packer& Packer::string(std::string_view text) {
  Appender sink(out_);
  msgpack::packer<Appender> packer(sink);
  packer.pack_str(narrow(text.size()));
  packer.pack_str_body(text.data(), narrow(text.size()));
  return *this;
}

Packer& Packer::array(std::size_t size) {
  Appender sink(out_);
  msgpack::packer<Appender>(sink).pack_array(narrow(size));
  return *this;
}

Packer& Packer::strings(const std::vector<std::string>& texts) {
  array(texts.size());
  for (const std::string& text : texts) string(text);
  return *this;
}

Packer& Packer::map(std::size_t size) {
  Appender sink(out_);
  msgpack::packer<Appender>(sink).pack_map(narrow(size));
  return *this;
}

Packer& Packer::raw(std::string_view bytes) {
  out_.append(bytes);
  return *this;
}

}  // namespace conga
