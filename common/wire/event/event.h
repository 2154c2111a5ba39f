// SPDX-License-Identifier: Apache-2.0
//
// Event: the envelope that every event travels in, and its codec. DESIGN: an event's bytes are
// never re-encoded between publisher and consumer, so the bus works on EventView, a checked view
// of those bytes; Event is for whoever makes one.

#pragma once

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

/// An event in the making. Empty optional text fields are left out of the encoded map.
struct Event {
  Uuid id;
  std::string source;
  std::string detail_type;
  WallTime time;
  std::vector<std::string> resources;
  std::string detail;  ///< msgpack, one map; empty: an empty map.
  std::string correlation_id;
  std::optional<Uuid> causation_id;
  std::uint32_t hops = 0;
  std::string traceparent;
  std::string key;
  std::string replay_name = {};
};

/// A checked view of an event's bytes, which must outlive it.
struct EventView {
  std::string_view bytes;
  Value map;  ///< The whole event: what patterns match against.
  Uuid id;
  std::string_view id_text;  ///< As written.
  std::string_view source;
  std::string_view detail_type;
  std::string_view time;            ///< As written; empty if absent.
  std::string_view correlation_id;  ///< Empty if absent; so the next three.
  std::string_view traceparent;
  std::string_view key;
  std::string_view replay_name;  ///< Of an event that is put again from an archive.
  Value replay_to;  ///< A map of {rules: [text], targets: [text]}, both optional; null if absent.
  std::optional<Uuid> causation_id;
  std::uint32_t hops = 0;
  Value detail;
};

/// The event that `bytes` consists of. Checked: it is one well-formed map within the limits; `id`
/// is a UUID; `source` and `detail-type` are text of 1 to 256 bytes without '/' or control
/// characters (they become topic parts); `detail` is a map; the optional fields, where present,
/// have their types (`time` RFC 3339, `resources` an array of text, `causation-id` a UUID, `hops`
/// 0 to 2^32-1). Fields that conga does not know are kept and ignored. Refused (Permanent) with
/// code `InvalidEvent`, `EventTooLarge` or `EventTooDeep`, and the field's name in the message.
Result<EventView> read_event(std::string_view bytes, const ValueLimits& limits = {});

/// As read_event(), but takes the event off the front of `bytes`: for bodies of several events. A
/// refused event is taken off too, so that the next can be read; where its end cannot be found,
/// nothing is left of `bytes`.
Result<EventView> take_event(std::string_view& bytes, const ValueLimits& limits = {});

/// The event's id even if the rest of it is refused, so that the refusal can be addressed.
std::optional<Uuid> event_id_of(std::string_view bytes, const ValueLimits& limits = {});

std::string encode(const Event& event);

/// An owning copy of `view`. Fields that conga does not know are lost: for tools, not for routing.
Event to_event(const EventView& view);

}  // namespace conga
