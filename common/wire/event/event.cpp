// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/event.h"

#include "common/wire/event/cursor.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace conga {
namespace {

/// The longest `source` and `detail-type`: they become parts of topics.
constexpr std::size_t kMaxNameSize = 256;
/// How deep an event is read that is refused anyway, for the sake of its id and its end.
constexpr std::size_t kDeepest = 256;
/// The longest `correlation-id`, `key` and `traceparent`.
constexpr std::size_t kMaxTextSize = 1024;

tl::unexpected<Error> invalid(std::string_view field, std::string_view why) {
  return fail(Fault::Permanent,
              "the event's field '" + std::string(field) + "' " + std::string(why),
              "InvalidEvent");
}

Result<> read_name(std::string_view field, const Value& value, std::string_view& into) {
  const auto text = value.string();
  const auto bad = [](char letter) {
    const auto code = static_cast<unsigned char>(letter);
    return letter == '/' || code < 0x20 || code == 0x7f;
  };
  if (!text || text->empty() || text->size() > kMaxNameSize || std::ranges::any_of(*text, bad)) {
    return invalid(field, "must be text of 1 to 256 bytes without '/' and control characters");
  }
  into = *text;
  return {};
}

Result<> read_text(std::string_view field, const Value& value, std::string_view& into) {
  const auto text = value.string();
  if (!text || text->size() > kMaxTextSize) {
    return invalid(field, "must be text of at most 1024 bytes");
  }
  into = *text;
  return {};
}

Result<> read_uuid(std::string_view field, const Value& value, Uuid& into) {
  const auto text = value.string();
  const auto id = text ? Uuid::parse(*text) : std::nullopt;
  if (!id) {
    return invalid(field, "must be a UUID such as 018f4e2a-9b1c-7def-8123-456789abcdef");
  }
  into = *id;
  return {};
}

/// The number that two digits make; above 99: they are none.
unsigned two_digits(const char* at) {
  constexpr unsigned kNone = 100;
  const auto tens = static_cast<unsigned>(static_cast<unsigned char>(at[0])) - '0';
  const auto ones = static_cast<unsigned>(static_cast<unsigned char>(at[1])) - '0';
  return tens > 9 || ones > 9 ? kNone : 10 * tens + ones;
}

/// Whether it is a time as conga writes it, on a day that every month has: nearly every event's is,
/// and this is quicker than parse_rfc3339(), which knows the others.
bool is_usual_time(std::string_view text) {
  constexpr std::string_view kForm = "yyyy-mm-ddThh:mm:ss.uuuuuuZ";
  if (text.size() != kForm.size()) return false;
  const char* const at = text.data();
  const bool marks = at[4] == '-' && at[7] == '-' && at[10] == 'T' && at[13] == ':' && at[16] == ':'
                     && at[19] == '.' && at[26] == 'Z';
  const unsigned month = two_digits(at + 5);
  const unsigned day = two_digits(at + 8);
  return marks && two_digits(at) <= 99 && two_digits(at + 2) <= 99 && month >= 1 && month <= 12
         && day >= 1 && day <= 28 && two_digits(at + 11) <= 23 && two_digits(at + 14) <= 59
         && two_digits(at + 17) <= 59 && two_digits(at + 20) <= 99 && two_digits(at + 22) <= 99
         && two_digits(at + 24) <= 99;
}

Result<> read_time(const Value& value, std::string_view& into) {
  const auto text = value.string();
  if (!text || (!is_usual_time(*text) && !parse_rfc3339(*text))) {
    return invalid("time", "must be an RFC 3339 time such as 2026-11-23T06:27:40.123456Z");
  }
  into = *text;
  return {};
}

Result<> read_hops(const Value& value, std::uint32_t& into) {
  const auto hops = value.uint64();
  if (!hops || *hops > std::numeric_limits<std::uint32_t>::max()) {
    return invalid("hops", "must be an integer from 0 to 4294967295");
  }
  into = static_cast<std::uint32_t>(*hops);
  return {};
}

Result<> read_resources(const Value& value) {
  bool all_text = value.is_array();
  for (const Value element : value.elements()) all_text = all_text && element.is_string();
  if (!all_text) return invalid("resources", "must be an array of text");
  return {};
}

Result<> read_replay_to(const Value& value) {
  bool well = value.is_map();
  for (const auto& [key, list] : value.members()) {
    well = well && list.is_array();
    for (const Value element : list.elements()) well = well && element.is_string();
  }
  if (!well) return invalid("replay-to", "must be a map of rules and targets, arrays of text");
  return {};
}

/// The envelope's fields, in the order of their bits in Fields.
enum class Field : std::uint8_t {
  Id,
  Source,
  DetailType,
  Time,
  Resources,
  Detail,
  CorrelationId,
  CausationId,
  Hops,
  Traceparent,
  Key,
  ReplayName,
  ReplayTo,
};

struct FieldName {
  std::string_view name;
  Field field;
};

constexpr std::array<FieldName, 13> kFields{{{"id", Field::Id},
                                             {"source", Field::Source},
                                             {"detail-type", Field::DetailType},
                                             {"time", Field::Time},
                                             {"resources", Field::Resources},
                                             {"detail", Field::Detail},
                                             {"correlation-id", Field::CorrelationId},
                                             {"causation-id", Field::CausationId},
                                             {"hops", Field::Hops},
                                             {"traceparent", Field::Traceparent},
                                             {"key", Field::Key},
                                             {"replay-name", Field::ReplayName},
                                             {"replay-to", Field::ReplayTo}}};

/// kFields.end(): it is none of the envelope's.
const FieldName* find_field(std::string_view name) {
  // Nearly every other name differs in its length or its last letter.
  return std::ranges::find_if(kFields, [name](const FieldName& known) {
    return known.name.size() == name.size() && known.name.back() == name.back()
           && known.name == name;
  });
}

constexpr unsigned bit(Field field) {
  return 1U << static_cast<unsigned>(field);
}

std::string_view name_of(Field field) {
  return kFields[static_cast<std::size_t>(field)].name;
}

Result<> read_field(Field field, const Value& value, EventView& event) {
  switch (field) {
    case Field::Id:
      event.id_text = value.string().value_or("");
      return read_uuid("id", value, event.id);
    case Field::Source:
      return read_name("source", value, event.source);
    case Field::DetailType:
      return read_name("detail-type", value, event.detail_type);
    case Field::Time:
      return read_time(value, event.time);
    case Field::Resources:
      return read_resources(value);
    case Field::Detail:
      if (!value.is_map()) return invalid("detail", "must be a map");
      event.detail = value;
      return {};
    case Field::CorrelationId:
      return read_text("correlation-id", value, event.correlation_id);
    case Field::CausationId:
      event.causation_id.emplace();
      return read_uuid("causation-id", value, *event.causation_id);
    case Field::Hops:
      return read_hops(value, event.hops);
    case Field::Traceparent:
      return read_text("traceparent", value, event.traceparent);
    case Field::Key:
      return read_text("key", value, event.key);
    case Field::ReplayName:
      return read_text("replay-name", value, event.replay_name);
    case Field::ReplayTo:
      event.replay_to = value;
      return read_replay_to(value);
  }
  return {};
}

Result<> read_fields(const Value& map, EventView& event) {
  unsigned seen = 0;
  Cursor cursor(map);
  for (std::size_t left = cursor.enter(); Cursor::more(left);) {
    const std::string_view name = cursor.take_text();
    const Value value = cursor.value();
    if (left > 0) cursor.skip();  // The last one is the detail, as a rule, and much.
    const auto* const known = find_field(name);
    if (known == kFields.end()) continue;
    if ((seen & bit(known->field)) != 0) return invalid(name, "is there twice");
    seen |= bit(known->field);
    if (auto read = read_field(known->field, value, event); !read) return read;
  }
  for (const Field required : {Field::Id, Field::Source, Field::DetailType, Field::Detail}) {
    if ((seen & bit(required)) == 0) return invalid(name_of(required), "is missing");
  }
  return {};
}

/// A value's fault, in an event's words.
tl::unexpected<Error> as_event_fault(const Error& error) {
  std::string code = "InvalidEvent";
  if (error.code == "TooLarge") code = "EventTooLarge";
  if (error.code == "TooDeep") code = "EventTooDeep";
  return fail(error.fault, "the event is refused: " + error.what, std::move(code));
}

/// `bytes` are those of `map`.
Result<EventView> view_of(const Value& map, std::string_view bytes) {
  if (!map.is_map()) {
    return fail(Fault::Permanent, "an event must be a map, and this is not one", "InvalidEvent");
  }
  EventView event;
  event.bytes = bytes;
  event.map = map;
  if (auto read = read_fields(map, event); !read) return read.failure();
  return event;
}

}  // namespace

Result<EventView> read_event(std::string_view bytes, const ValueLimits& limits) {
  const auto map = Value::parse(bytes, limits);
  if (!map) return as_event_fault(map.error());
  return view_of(*map, bytes);
}

Result<EventView> take_event(std::string_view& bytes, const ValueLimits& limits) {
  const std::string_view all = bytes;
  const auto map = Value::take(bytes, limits);
  if (!map) {
    // What is merely too large or too deep is well-formed all the same, and has an end.
    if (!Value::take(bytes, {.max_size = all.size(), .max_depth = kDeepest})) bytes = {};
    return as_event_fault(map.error());
  }
  return view_of(*map, all.substr(0, all.size() - bytes.size()));
}

std::optional<Uuid> event_id_of(std::string_view bytes, const ValueLimits& limits) {
  const ValueLimits loose{.max_size = bytes.size(),
                          .max_depth = std::max(limits.max_depth, kDeepest)};
  const auto map = Value::parse(bytes, loose);
  const auto id = map ? map->find("id") : std::nullopt;
  const auto text = id ? id->string() : std::nullopt;
  return text ? Uuid::parse(*text) : std::nullopt;
}

std::string encode(const Event& event) {
  struct Text {
    Field field;
    const std::string& value;
  };

  const std::array<Text, 4> texts{{{Field::CorrelationId, event.correlation_id},
                                   {Field::Traceparent, event.traceparent},
                                   {Field::Key, event.key},
                                   {Field::ReplayName, event.replay_name}}};
  const auto present = static_cast<std::size_t>(
      std::ranges::count_if(texts, [](const Text& text) { return !text.value.empty(); }));
  std::string bytes;
  Packer packer(bytes);
  packer.map(7 + present + (event.causation_id ? 1U : 0U));
  packer.key(name_of(Field::Id)).string(event.id.text());
  packer.key(name_of(Field::Source)).string(event.source);
  packer.key(name_of(Field::DetailType)).string(event.detail_type);
  packer.key(name_of(Field::Time)).string(format_rfc3339(event.time));
  packer.key(name_of(Field::Resources)).strings(event.resources);
  for (const Text& text : texts) {
    if (!text.value.empty()) packer.key(name_of(text.field)).string(text.value);
  }
  if (event.causation_id) {
    packer.key(name_of(Field::CausationId)).string(event.causation_id->text());
  }
  packer.key(name_of(Field::Hops)).unsigned_integer(event.hops);
  packer.key(name_of(Field::Detail));
  event.detail.empty() ? packer.map(0) : packer.raw(event.detail);
  return bytes;
}

Event to_event(const EventView& view) {
  Event event{.id = view.id,
              .source = std::string(view.source),
              .detail_type = std::string(view.detail_type),
              .time = {},
              .resources = {},
              .detail = std::string(view.detail.bytes()),
              .correlation_id = std::string(view.correlation_id),
              .causation_id = view.causation_id,
              .hops = view.hops,
              .traceparent = std::string(view.traceparent),
              .key = std::string(view.key),
              .replay_name = std::string(view.replay_name)};
  if (const auto time = parse_rfc3339(view.time)) event.time = *time;
  if (const auto resources = view.map.find("resources")) {
    for (const Value resource : resources->elements()) {
      event.resources.emplace_back(*resource.string());
    }
  }
  return event;
}

}  // namespace conga
