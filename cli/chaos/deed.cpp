// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/deed.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

namespace conga::cli {
namespace {

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

Duration duration_of(std::uint64_t count) {
  return Duration(static_cast<Duration::rep>(count));
}

}  // namespace

std::string text_of(const Deed& deed) {
  std::string done;
  const auto add = [&done](const std::string& what) { done += (done.empty() ? "" : ", ") + what; };
  if (deed.plan.hold > Duration(0)) add("held for " + human_duration(deed.plan.hold));
  if (deed.plan.copy) add("sent twice");
  if (deed.plan.drop_ack) add("ack dropped");
  const std::string of = deed.correlation_id.empty() ? "" : " of " + deed.correlation_id;
  return printable(deed.detail_type + of + " to " + deed.service) + ", attempt "
         + std::to_string(deed.attempt) + ": " + done;
}

std::string json_of(const Deed& deed) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(9).key("event").string(deed.event.text()).key("source").string(deed.source);
  packer.key("detail-type").string(deed.detail_type);
  packer.key("correlation-id").string(deed.correlation_id).key("service").string(deed.service);
  packer.key("attempt").unsigned_integer(deed.attempt);
  packer.key("held-us").unsigned_integer(microseconds(deed.plan.hold));
  packer.key("copy-held-us");
  if (deed.plan.copy) {
    packer.unsigned_integer(microseconds(*deed.plan.copy));
  } else {
    packer.null();
  }
  packer.key("ack-dropped").boolean(deed.plan.drop_ack);
  return to_json(Value::trusted(bytes));
}

Result<Deed> read_deed(std::string_view json) {
  const auto bytes = json_to_msgpack(json);
  if (!bytes) return bytes.failure();
  const Value map = Value::trusted(*bytes);
  const auto text = [&map](std::string_view key) {
    const auto found = map.find(key);
    return std::string(found ? found->string().value_or("") : "");
  };
  const auto id = Uuid::parse(text("event"));
  if (!id || text("service").empty()) {
    return fail(Fault::Permanent,
                "not a line of `conga chaos relay --json`: it has no 'event' and 'service'");
  }
  Deed deed{.event = *id,
            .source = text("source"),
            .detail_type = text("detail-type"),
            .correlation_id = text("correlation-id"),
            .service = text("service"),
            .attempt = static_cast<std::uint32_t>(count_of(map, "attempt")),
            .plan = {}};
  deed.plan.hold = duration_of(count_of(map, "held-us"));
  const auto copy = map.find("copy-held-us");
  if (copy && copy->is_number()) deed.plan.copy = duration_of(count_of(map, "copy-held-us"));
  const auto dropped = map.find("ack-dropped");
  deed.plan.drop_ack = dropped && dropped->boolean().value_or(false);
  return deed;
}

}  // namespace conga::cli
