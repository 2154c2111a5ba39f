// SPDX-License-Identifier: Apache-2.0

#include "common/io/log_format.h"

#include "common/io/crc32c.h"
#include "common/io/little_endian.h"

#include <array>
#include <charconv>
#include <cstring>

namespace conga {
namespace {

constexpr std::string_view kMagic = "CONGALOG";
constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kNameDigits = 8;
constexpr std::size_t kHeaderCrcOffset = 60;
constexpr std::uint8_t kFirstFlag = 0x80;

std::uint32_t header_crc(std::string_view copy) {
  return crc32c(copy.substr(0, kHeaderCrcOffset));
}

/// Number and offset go into the CRC, so that neither a record of the file's last lap nor one that
/// an event carries in its body can pass for a record of the log.
std::uint32_t record_crc(const char* at, std::uint64_t size, LogPosition position) {
  std::array<char, 8> place{};
  store_little(place.data(), position.number());
  const std::uint32_t salt = crc32c({place.data(), place.size()});
  return crc32c({at + 4, size - 4}, salt);
}

enum class CopyState : std::uint8_t { Good, Bad, OtherVersion };

struct CopyRead {
  CopyState state = CopyState::Bad;
  std::uint32_t version = 0;
  SegmentHeader header;
};

CopyRead read_copy(std::string_view bytes, std::size_t offset) {
  CopyRead copy;
  if (bytes.size() < offset + kHeaderSize) return copy;
  bytes = bytes.substr(offset, kHeaderSize);
  if (!bytes.starts_with(kMagic)) return copy;
  const char* at = bytes.data();
  copy.version = load_little<std::uint32_t>(at + 8);
  if (copy.version != kLogVersion) {
    copy.state = CopyState::OtherVersion;
    return copy;
  }
  if (load_little<std::uint32_t>(at + kHeaderCrcOffset) != header_crc(bytes)) return copy;
  copy.state = CopyState::Good;
  copy.header.size = load_little<std::uint32_t>(at + 12);
  copy.header.number = load_little<std::uint32_t>(at + 16);
  copy.header.notes.low_water = load_little<std::uint32_t>(at + 20);
  copy.header.commit = load_little<std::uint64_t>(at + 24);
  copy.header.notes.first = load_little<std::uint64_t>(at + 32);
  copy.header.notes.time = load_little<std::int64_t>(at + 40);
  return copy;
}

}  // namespace

std::string segment_name(std::uint32_t number) {
  const std::string digits = std::to_string(number);
  const std::size_t zeros = digits.size() < kNameDigits ? kNameDigits - digits.size() : 0;
  return std::string(zeros, '0') + digits + std::string(kSuffix);
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number == 0) {
    return std::nullopt;
  }
  if (segment_name(number) != name) return std::nullopt;
  return number;
}

std::string encode_header(const SegmentHeader& header) {
  std::string bytes(kDataStart, '\0');
  for (const std::uint32_t copy : {0U, kHeaderCopy}) {
    char* at = bytes.data() + copy;
    std::memcpy(at, kMagic.data(), kMagic.size());
    char* field = store_little(at + kMagic.size(), kLogVersion);
    field = store_little(field, header.size);
    field = store_little(field, header.number);
    field = store_little(field, header.notes.low_water);
    field = store_little(field, header.commit);
    field = store_little(field, header.notes.first);
    store_little(field, header.notes.time);
    store_little(at + kHeaderCrcOffset, header_crc({at, kHeaderSize}));
  }
  return bytes;
}

HeaderRead read_header(std::string_view bytes) {
  const CopyRead one = read_copy(bytes, 0);
  const CopyRead two = read_copy(bytes, kHeaderCopy);
  HeaderRead read;
  if (one.state == CopyState::Good || two.state == CopyState::Good) {
    const bool both = one.state == two.state && one.header == two.header;
    read.state = both ? HeaderState::Good : HeaderState::OneCopyBad;
    read.header = one.state == CopyState::Good ? one.header : two.header;
    read.bad_copy = one.state == CopyState::Good ? kHeaderCopy : 0;
  } else if (one.state == CopyState::OtherVersion || two.state == CopyState::OtherVersion) {
    read.state = HeaderState::OtherVersion;
    read.version = one.state == CopyState::OtherVersion ? one.version : two.version;
  }
  return read;
}

void store_frame(char* at, const RecordFrame& frame) {
  const std::uint8_t type = frame.first ? frame.type | kFirstFlag : frame.type;
  store_little(at + 4, frame.length);
  store_little(at + 8, (frame.commit << 8U) | type);
}

RecordFrame load_frame(const char* at) {
  const auto word = load_little<std::uint64_t>(at + 8);
  const auto type = static_cast<std::uint8_t>(word & 0xffU);
  RecordFrame frame;
  frame.length = load_little<std::uint32_t>(at + 4);
  frame.commit = word >> 8U;
  frame.type = static_cast<std::uint8_t>(type & ~kFirstFlag);
  frame.first = (type & kFirstFlag) != 0;
  return frame;
}

void store_record_crc(char* at, std::uint64_t size, LogPosition position) {
  store_little(at, record_crc(at, size, position));
}

bool record_crc_fits(const char* at, std::uint64_t size, LogPosition position) {
  return load_little<std::uint32_t>(at) == record_crc(at, size, position);
}

}  // namespace conga
