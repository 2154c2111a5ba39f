// SPDX-License-Identifier: Apache-2.0

#include "common/io/log_tail.h"

#include <algorithm>
#include <cstring>

namespace conga {

void LogTail::begin(std::uint32_t offset) {
  older_.size = newer_.size = 0;
  older_.start = newer_.start = offset;
}

char* LogTail::extend(std::size_t size) {
  const std::size_t at = newer_.size;
  if (at + size > newer_.capacity) grow(newer_, at + size);
  newer_.size += size;
  return newer_.bytes.get() + at;
}

void LogTail::grow(Half& half, std::size_t size) {
  const std::size_t capacity = std::max(2 * half.capacity, size);
  // Not filled with zeros: all of it is written to before it is read.
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (half.size > 0) std::memcpy(bytes.get(), half.bytes.get(), half.size);
  half.bytes = std::move(bytes);
  half.capacity = capacity;
}

void LogTail::turn_over() {
  std::swap(older_, newer_);
  newer_.size = 0;
  newer_.start = older_.end();
}

std::string_view LogTail::from(std::uint32_t offset) const {
  for (const Half* half : {&newer_, &older_}) {
    const bool inside = offset >= half->start && offset < half->end();
    if (inside) return {half->bytes.get() + (offset - half->start), half->end() - offset};
  }
  return {};
}

}  // namespace conga
