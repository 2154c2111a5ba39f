// SPDX-License-Identifier: Apache-2.0

#include "cli/event_text.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

namespace conga::cli {

Result<CompleteEvent> complete_event(std::string_view json, UuidFactory& ids, WallTime now) {
  const auto parsed = json_to_msgpack(json);
  if (!parsed) return fail(Fault::Permanent, parsed.error().what, "InvalidEvent");
  const Value map = Value::trusted(*parsed);
  if (!map.is_map()) {
    return fail(Fault::Permanent, "an event is a JSON object: {\"source\": …}", "InvalidEvent");
  }
  const bool lacks_id = !map.find("id");
  const bool lacks_time = !map.find("time");
  CompleteEvent event;
  Packer packer(event.bytes);
  packer.map(map.size() + (lacks_id ? 1 : 0) + (lacks_time ? 1 : 0));
  if (lacks_id) packer.key("id").string(ids.make(now).text());
  for (const auto& member : map.members()) packer.key(member.first).value(member.second);
  if (lacks_time) packer.key("time").string(format_rfc3339(now));
  const auto view = read_event(event.bytes);
  if (!view) return view.failure();
  event.id = view->id;
  return event;
}

std::string indented(std::string_view text, std::size_t indent) {
  const std::string blanks(indent, ' ');
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += blanks + printable(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string pretty_event(const EventView& event, const Look& look) {
  std::string out = paint(look, Colour::Dim, time_of_day(event.time)) + "  "
                    + paint(look, Colour::Bold, printable(event.detail_type)) + "  "
                    + paint(look, Colour::Cyan, printable(event.source)) + "  "
                    + paint(look, Colour::Dim, event.id.text());
  if (!event.correlation_id.empty()) out += "  " + printable(event.correlation_id);
  out += '\n';
  return out + indented(to_pretty_json(event.detail), 4);
}

}  // namespace conga::cli
