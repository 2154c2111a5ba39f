// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a record log: segment headers and record frames. docs/journal-format.md gives them
// with an example. Pure functions; whoever reads a log, live or dead, reads it through these.

#pragma once

#include "common/core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conga {

/// Where a record is: its segment's number and its offset in that file. Ascends along the log.
struct LogPosition {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;

  static LogPosition from_number(std::uint64_t number) {
    return {static_cast<std::uint32_t>(number >> 32U), static_cast<std::uint32_t>(number)};
  }

  std::uint64_t number() const { return (std::uint64_t{segment} << 32U) | offset; }

  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

/// What the log's user wants to find again in a segment's header without reading the segment.
struct SegmentNotes {
  std::uint32_t low_water = 1;  ///< No segment below it was of interest when this one began.
  std::uint64_t first = 1;      ///< For instance the first sequence that may be in the segment.
  std::int64_t time = 0;        ///< For instance when the segment began.

  friend bool operator==(const SegmentNotes&, const SegmentNotes&) = default;
};

struct SegmentHeader {
  std::uint32_t number = 0;  ///< From 1, never used twice: it is the generation in every CRC.
  std::uint32_t size = 0;    ///< Of the file once it is fully allocated.
  std::uint64_t commit = 0;  ///< The commit in which the segment began.
  SegmentNotes notes;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr std::uint32_t kHeaderSize = 64;
inline constexpr std::uint32_t kHeaderCopy = 2048;  ///< Offset of the header's second copy.
inline constexpr std::uint32_t kDataStart = 4096;   ///< Offset of the first record.
inline constexpr std::uint32_t kFrameSize = 16;     ///< Before each record's payload.
inline constexpr std::uint32_t kSealSize = 24;      ///< Room that a segment keeps for its end.

/// Record types below kFirstUserType are the log's own.
inline constexpr std::uint8_t kSealType = 1;  ///< The segment ends here; payload: the next number.
inline constexpr std::uint8_t kVoidType =
    2;  ///< Bytes that were torn or damaged, skipped for ever.
inline constexpr std::uint8_t kFirstUserType = 16;
inline constexpr std::uint8_t kLastType = 127;

/// `00000012.log`, and back.
std::string segment_name(std::uint32_t number);
std::optional<std::uint32_t> segment_number(std::string_view name);

/// The first kDataStart bytes of a segment: both copies of the header, and the space around them.
std::string encode_header(const SegmentHeader& header);

enum class HeaderState : std::uint8_t { Good, OneCopyBad, BothBad, OtherVersion };

struct HeaderRead {
  HeaderState state = HeaderState::BothBad;
  SegmentHeader header;
  std::uint32_t version = 0;   ///< If OtherVersion.
  std::uint32_t bad_copy = 0;  ///< Its offset, if OneCopyBad.
};

/// Reads the first kDataStart bytes of a segment (fewer: the rest counts as damaged).
HeaderRead read_header(std::string_view bytes);

struct RecordFrame {
  std::uint32_t length = 0;  ///< Of the payload.
  std::uint64_t commit = 0;
  std::uint8_t type = 0;
  bool first = false;  ///< The first record of its commit.

  /// On disk, frame and padding included.
  std::uint64_t size() const { return kFrameSize + ((std::uint64_t{length} + 7U) & ~7ULL); }
};

/// Writes all of the frame but its CRC.
void store_frame(char* at, const RecordFrame& frame);

/// The frame at `at`, unchecked.
RecordFrame load_frame(const char* at);

/// Computes and stores the CRC of the whole record of `size` bytes at `at`, which belongs at
/// `position`.
void store_record_crc(char* at, std::uint64_t size, LogPosition position);

/// Whether the `size` bytes at `at` are a record that was written at `position`.
bool record_crc_fits(const char* at, std::uint64_t size, LogPosition position);

}  // namespace conga
