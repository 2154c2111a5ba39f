// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/ordering.h"

#include "common/wire/event/packer.h"

#include <charconv>
#include <optional>
#include <string>

namespace conga::bus {
namespace {

/// One step of a pointer: `~1` stands for '/', `~0` for '~'.
std::string unescape(std::string_view step) {
  std::string name;
  for (std::size_t at = 0; at < step.size(); ++at) {
    const bool escaped = step[at] == '~' && at + 1 < step.size();
    if (!escaped) {
      name += step[at];
      continue;
    }
    ++at;
    name += step[at] == '1' ? '/' : '~';
  }
  return name;
}

std::optional<Value> element_at(const Value& array, std::string_view step) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  for (const Value element : array.elements()) {
    if (index-- == 0) return element;
  }
  return std::nullopt;
}

std::optional<Value> find(Value value, std::string_view pointer) {
  while (!pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    const auto next = value.is_array() ? element_at(value, step) : value.find(unescape(step));
    if (!next) return std::nullopt;
    value = *next;
  }
  return value;
}

/// FNV-1a, 64 bits, then mixed: equal on every machine, and never kNoKey.
OrderingKey hash(std::string_view bytes) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325U;
  constexpr std::uint64_t kPrime = 0x100000001b3U;
  std::uint64_t value = kBasis;
  for (const char byte : bytes) value = (value ^ static_cast<unsigned char>(byte)) * kPrime;
  return value == kNoKey ? 1 : value;
}

}  // namespace

OrderingKey ordering_key(const Value& event, std::string_view pointer) {
  const auto value = find(event, pointer);
  if (!value || value->is_null()) return kNoKey;
  std::string shortest;
  if (const auto text = value->string()) {
    Packer(shortest).string(*text);
  } else if (const auto integer = value->int64()) {
    Packer(shortest).integer(*integer);
  } else {
    shortest = value->bytes();
  }
  return hash(shortest);
}

}  // namespace conga::bus
