// SPDX-License-Identifier: Apache-2.0
//
// The payloads of the journal's records, to the byte as in docs/journal-format.md. Writing goes
// straight into the log's buffer; reading checks every length.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

inline constexpr std::uint8_t kEventRecord = 16;
inline constexpr std::uint8_t kSettledRecord = 17;
inline constexpr std::uint8_t kRetryRecord = 18;
inline constexpr std::uint8_t kCarriedRecord = 19;  ///< An event again, with its open targets only.

/// Longer texts are cut when they are written; names of rules and targets are refused instead.
inline constexpr std::size_t kMaxName = 1024;
inline constexpr std::size_t kMaxMessage = 4096;

/// A list of targets as event and carried records hold it. Permanent for a name over kMaxName.
Result<std::string> encode_targets(std::span<const TargetName> targets);

/// Takes the list off the front of `bytes`.
Result<std::vector<TargetName>> take_targets(std::string_view& bytes);

std::size_t event_record_size(std::string_view encoded_targets, std::string_view event);

void store_event_record(char* to,
                        Sequence sequence,
                        WallTime ingested,
                        std::string_view encoded_targets,
                        std::string_view event,
                        bool again = false);

/// An event record, or a carried one. The views are into the payload.
struct EventRecordView {
  Sequence sequence = 0;
  WallTime ingested;
  bool again = false;        ///< It was in the journal before: see EventStore::append_again().
  std::string_view targets;  ///< For take_targets(), which cannot fail on it.
  std::string_view event;
};

Result<EventRecordView> read_event_record(std::string_view payload);

std::size_t record_size(const SettledRecord& record);
void store_record(char* to, const SettledRecord& record);
Result<SettledRecord> read_settled_record(std::string_view payload);

std::size_t record_size(const RetryRecord& record);
void store_record(char* to, const RetryRecord& record);
Result<RetryRecord> read_retry_record(std::string_view payload);

}  // namespace conga::bus
