// SPDX-License-Identifier: Apache-2.0
//
// Recovery over arbitrary bytes: whatever a directory holds, open() answers and never crashes, and
// what it accepts can be read, followed, appended to and opened again.
//
// The first byte chooses: raw bytes as a segment; or records with true CRCs around fuzzed types,
// commits and payloads, because no fuzzer guesses a CRC.

#include "bus/sidecar/file_journal.h"
#include "common/core/check.h"
#include "common/io/log_format.h"
#include "tests/support/mem_files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using conga::WallTime;
using conga::bus::EventRef;
using conga::bus::FileJournal;
using conga::bus::FileJournalOptions;
using conga::bus::PendingDelivery;
using conga::bus::TargetName;
using conga::testing::MemFiles;

constexpr std::uint32_t kSegment = 16384;

class Collector final : public conga::bus::RecoveryVisitor {
public:
  void on_recent_event(std::string_view event_bytes, WallTime /*ingested*/) override {
    bytes += event_bytes.size();
  }

  void on_pending(const PendingDelivery& delivery) override { pending.push_back(delivery.event); }

  std::size_t bytes = 0;
  std::vector<EventRef> pending;
};

conga::SegmentHeader header() {
  conga::SegmentHeader header;
  header.number = 1;
  header.size = kSegment;
  header.commit = 1;
  return header;
}

/// One byte of type, one of what to do with the commit, one of length, the payload; and again.
std::string framed(std::string_view input) {
  std::string bytes = conga::encode_header(header());
  std::uint64_t commit = 1;
  while (input.size() >= 3) {
    conga::RecordFrame frame;
    frame.type = static_cast<std::uint8_t>(input[0]) & conga::kLastType;
    frame.first = (static_cast<unsigned char>(input[1]) & 1U) != 0;
    if (frame.first) ++commit;
    const bool damaged = (static_cast<unsigned char>(input[1]) & 0xf0U) == 0x70U;
    frame.commit = commit;
    frame.length = static_cast<unsigned char>(input[2]);
    input.remove_prefix(3);
    frame.length = static_cast<std::uint32_t>(std::min<std::size_t>(frame.length, input.size()));
    const std::size_t at = bytes.size();
    bytes.resize(at + frame.size());
    conga::store_frame(bytes.data() + at, frame);
    std::memcpy(bytes.data() + at + conga::kFrameSize, input.data(), frame.length);
    conga::store_record_crc(bytes.data() + at, frame.size(), {1, static_cast<std::uint32_t>(at)});
    if (damaged) bytes[at] = static_cast<char>(bytes[at] ^ 1);
    input.remove_prefix(frame.length);
  }
  return bytes;
}

void exercise(FileJournal& journal, const Collector& found) {
  for (const EventRef& ref : found.pending) CONGA_CHECK(journal.read(ref), "pending, unreadable");
  std::string cursor;
  while (true) {
    const auto entries = journal.follow(cursor, 10);
    if (!entries || entries->empty()) break;
  }
  const std::vector<TargetName> targets{{"rule", "target"}};
  const auto ref = journal.append(WallTime(), targets, "event");
  if (!ref) return;
  CONGA_CHECK(journal.sync(), "cannot sync");
  CONGA_CHECK(journal.maintain(WallTime()), "cannot maintain");
  CONGA_CHECK(journal.read(*ref)->bytes == "event", "not what was appended");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(data, data + size);
  const std::string_view rest = std::string_view(input).substr(1);
  MemFiles disk;
  const unsigned mode = data[0] % 3U;
  std::string bytes = mode == 0 ? std::string(rest) : framed(rest);
  if (mode == 2) bytes.resize(bytes.size() - std::min<std::size_t>(bytes.size(), data[0]));
  disk.set_content("/j/00000001.log", bytes);

  FileJournalOptions options;
  options.directory = "/j";
  options.segment_size = kSegment;
  options.accept_damage = true;
  std::size_t pending = 0;
  {
    Collector found;
    const auto journal = FileJournal::open(disk, options, WallTime(), found);
    if (!journal) return 0;
    exercise(**journal, found);
    pending = found.pending.size();
  }
  options.accept_damage = false;
  Collector found;
  const auto again = FileJournal::open(disk, options, WallTime(), found);
  CONGA_CHECK(again, again ? "" : again.error().what);
  CONGA_CHECK(found.pending.size() >= pending, "lost what was pending");
  return 0;
}
