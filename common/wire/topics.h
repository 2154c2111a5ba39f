// SPDX-License-Identifier: Apache-2.0
//
// Topics: the first frame of every message. docs/protocol.md lists them all.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conga {

/// The first part of a topic. `topic/NAME` carries what a rule's `topic:` target selected;
/// `event/…` carries every accepted event, for taps.
enum class TopicKind : std::uint8_t {
  Put,
  Ready,
  Settle,
  Ask,
  PutResult,
  Deliver,
  Answer,
  Event,
  Topic,
};

/// A topic taken apart; views into the text it was parsed from.
struct Topic {
  TopicKind kind = TopicKind::Put;
  std::string_view first;   ///< CLIENT, SERVICE, SOURCE or NAME.
  std::string_view second;  ///< INSTANCE or DETAIL-TYPE; empty where a topic has two parts.
};

/// Nothing if the text is no topic of the protocol or a name in it is not valid.
std::optional<Topic> parse_topic(std::string_view text);

/// CLIENT, SERVICE, INSTANCE and NAME: 1 to 128 of A-Z a-z 0-9 . _ -
bool is_valid_name(std::string_view name);

std::string put_topic(std::string_view client);
std::string ready_topic(std::string_view service, std::string_view instance);
std::string settle_topic(std::string_view service, std::string_view instance);
std::string ask_topic(std::string_view client);
std::string put_result_topic(std::string_view client);
std::string deliver_topic(std::string_view service, std::string_view instance);
std::string answer_topic(std::string_view client);
std::string event_topic(std::string_view source, std::string_view detail_type);
std::string routed_topic(std::string_view name);  ///< `topic/NAME`

}  // namespace conga
