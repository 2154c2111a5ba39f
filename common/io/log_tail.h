// SPDX-License-Identifier: Apache-2.0
//
// LogTail: the newest bytes of a log's newest segment, in memory: those that are still to be
// written, and some that have been, to be read back. In two halves, so that what is being written
// stays where it is while more is appended, and nothing is ever moved to make room.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace conga {

/// Offsets are those in the segment. One thread; what turn_over() left alone may be used by
/// another.
class LogTail {
public:
  /// Empty, in a segment whose next byte is at `offset`.
  void begin(std::uint32_t offset);

  /// Room for `size` bytes behind all others, to be filled by the caller.
  char* extend(std::size_t size);

  /// What is there stays as it is until the next call, and what is appended comes elsewhere.
  void turn_over();

  /// Bytes that were appended since turn_over().
  std::size_t fresh_size() const { return newer_.size; }

  /// Where the byte at `offset` is, which was appended since turn_over().
  char* fresh(std::uint32_t offset) { return newer_.bytes.get() + (offset - newer_.start); }

  /// The bytes from `offset` to the end of its half; empty: not in memory. Whatever was given by
  /// one extend() is in one half.
  std::string_view from(std::uint32_t offset) const;

private:
  struct Half {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t capacity = 0;
    std::uint32_t start = 0;

    std::uint32_t end() const { return start + static_cast<std::uint32_t>(size); }
  };

  static void grow(Half& half, std::size_t size);

  Half older_;
  Half newer_;
};

}  // namespace conga
