// SPDX-License-Identifier: Apache-2.0

#include "common/wire/topics.h"

#include <algorithm>
#include <array>

namespace conga {
namespace {

struct KindName {
  TopicKind kind;
  std::string_view name;
  bool two_names;
};

constexpr std::array<KindName, 9> kKinds{{{TopicKind::Put, "put", false},
                                          {TopicKind::Ready, "ready", true},
                                          {TopicKind::Settle, "settle", true},
                                          {TopicKind::Ask, "ask", false},
                                          {TopicKind::PutResult, "put-result", false},
                                          {TopicKind::Deliver, "deliver", true},
                                          {TopicKind::Answer, "answer", false},
                                          {TopicKind::Event, "event", true},
                                          {TopicKind::Topic, "topic", false}}};

constexpr std::size_t kMaxNameSize = 128;

bool is_name_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')
         || (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
}

std::string join(std::string_view kind, std::string_view first) {
  std::string topic;
  topic.reserve(kind.size() + 1 + first.size());
  topic.append(kind).append("/").append(first);
  return topic;
}

std::string join(std::string_view kind, std::string_view first, std::string_view second) {
  std::string topic = join(kind, first);
  topic.append("/").append(second);
  return topic;
}

/// Sources and detail-types are checked with the event; here only that they are there.
bool is_valid_part(TopicKind kind, std::string_view part) {
  return kind == TopicKind::Event ? !part.empty() && part.find('/') == std::string_view::npos
                                  : is_valid_name(part);
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameSize
         && std::ranges::all_of(name, is_name_character);
}

std::optional<Topic> parse_topic(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto* const kind = std::ranges::find(kKinds, text.substr(0, slash), &KindName::name);
  if (kind == kKinds.end()) return std::nullopt;
  Topic topic{.kind = kind->kind, .first = text.substr(slash + 1), .second = {}};
  if (kind->two_names) {
    const std::size_t second = topic.first.find('/');
    if (second == std::string_view::npos) return std::nullopt;
    topic.second = topic.first.substr(second + 1);
    topic.first = topic.first.substr(0, second);
    if (!is_valid_part(topic.kind, topic.second)) return std::nullopt;
  }
  if (!is_valid_part(topic.kind, topic.first)) return std::nullopt;
  return topic;
}

std::string put_topic(std::string_view client) {
  return join("put", client);
}

std::string ready_topic(std::string_view service, std::string_view instance) {
  return join("ready", service, instance);
}

std::string settle_topic(std::string_view service, std::string_view instance) {
  return join("settle", service, instance);
}

std::string ask_topic(std::string_view client) {
  return join("ask", client);
}

std::string put_result_topic(std::string_view client) {
  return join("put-result", client);
}

std::string deliver_topic(std::string_view service, std::string_view instance) {
  return join("deliver", service, instance);
}

std::string answer_topic(std::string_view client) {
  return join("answer", client);
}

std::string event_topic(std::string_view source, std::string_view detail_type) {
  return join("event", source, detail_type);
}

std::string routed_topic(std::string_view name) {
  return join("topic", name);
}

}  // namespace conga
