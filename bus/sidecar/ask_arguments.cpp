// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/ask_arguments.h"

#include "bus/sidecar/reasons.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <limits>
#include <optional>
#include <utility>

namespace conga::bus {
namespace {

tl::unexpected<Error> invalid(std::string_view what) {
  return fail(Fault::Permanent, std::string(what), "InvalidArguments");
}

Result<> read_numbers(const Value& value, DeadLetterFilter& filter) {
  if (!value.is_array()) return invalid("numbers must be a list of integers");
  for (const Value element : value.elements()) {
    const auto number = element.uint64();
    if (!number) return invalid("numbers must be a list of integers");
    filter.numbers.push_back(*number);
  }
  return {};
}

std::string* text_field(DeadLetterFilter& filter, std::string_view key) {
  if (key == "rule") return &filter.rule;
  if (key == "target") return &filter.target;
  if (key == "event-id") return &filter.event_id;
  if (key == "error-code") return &filter.error_code;
  if (key == "correlation-id") return &filter.correlation_id;
  return nullptr;
}

Result<> read_argument(std::string_view key, const Value& value, DeadLetterFilter& filter) {
  constexpr std::uint64_t kMostLetters = 1000;
  if (key == "numbers") return read_numbers(value, filter);
  if (std::string* const field = text_field(filter, key)) {
    const auto text = value.string();
    if (!text) return invalid(std::string(key) + " must be a text");
    *field = *text;
    return {};
  }
  // What several verbs take beside a filter.
  if (key == "all" || key == "by" || key == "events") return {};
  const auto number = value.uint64();
  if (key == "after" && number) {
    filter.after = *number;
    return {};
  }
  if (key == "limit" && number && *number >= 1 && *number <= kMostLetters) {
    filter.limit = static_cast<std::size_t>(*number);
    return {};
  }
  if (key == "after") return invalid("after must be an integer");
  if (key == "limit") return invalid("limit must be an integer from 1 to 1000");
  return invalid("'" + std::string(key)
                 + "' is no argument; known are numbers, rule, target, event-id, error-code, "
                   "correlation-id, all, after, limit");
}

bool is_empty(const DeadLetterFilter& filter) {
  return filter.numbers.empty() && filter.rule.empty() && filter.target.empty()
         && filter.event_id.empty() && filter.error_code.empty() && filter.correlation_id.empty();
}

/// Takes `key` out of the arguments' members if it is there.
Result<std::optional<std::uint64_t>> read_integer(const Value& arguments,
                                                  std::string_view key,
                                                  std::uint64_t most) {
  const auto value = arguments.find(key);
  if (!value) return std::optional<std::uint64_t>();
  const auto number = value->uint64();
  if (number && *number <= most) return std::optional(*number);
  return invalid(std::string(key) + " must be an integer from 0 to " + std::to_string(most));
}

/// The arguments without those of a redrive: what is left is a choice of dead letters.
std::string without_pace(const Value& arguments) {
  std::string members;
  std::size_t count = 0;
  for (const auto& member : arguments.members()) {
    if (member.first == "canaries" || member.first == "rate") continue;
    Packer(members).key(member.first).value(member.second);
    ++count;
  }
  std::string rest;
  Packer(rest).map(count).raw(members);
  return rest;
}

}  // namespace

Result<std::vector<TargetName>> read_target_names(const Value& arguments,
                                                  const DeliveryEngine& engine,
                                                  bool has_table) {
  std::string target;
  std::string rule;
  for (const auto& member : arguments.members()) {
    if (member.first == "by") continue;
    const auto text = member.second.string();
    const bool known = member.first == "target" || member.first == "rule";
    if (!known || !text || text->empty()) {
      return invalid("the arguments are target, and rule if only that rule's is meant: texts");
    }
    (member.first == "target" ? target : rule) = *text;
  }
  if (target.empty()) return invalid("target must be the name of a target");
  if (!has_table) return fail(Fault::Transient, "the bus has sent no rules yet", "Unavailable");
  std::vector<TargetName> names;
  for (const TargetState& state : engine.targets()) {
    if (state.removed && !state.paused) continue;
    if (state.name.target != target || (!rule.empty() && state.name.rule != rule)) continue;
    names.push_back(state.name);
  }
  if (!names.empty()) return names;
  return fail(Fault::Permanent,
              "no rule" + (rule.empty() ? std::string() : " '" + rule + "'") + " has a target '"
                  + target + "': conga rules list names them",
              "NotFound");
}

Result<DeadLetterFilter> read_filter(const Value& arguments) {
  DeadLetterFilter filter;
  for (const auto& member : arguments.members()) {
    const auto read = read_argument(member.first, member.second, filter);
    if (!read) return read.failure();
  }
  return filter;
}

Result<DeadLetterFilter> read_choice(const Value& arguments) {
  auto filter = read_filter(arguments);
  if (!filter) return filter;
  const auto all = arguments.find("all");
  const bool wants_all = all && all->boolean().value_or(false);
  if (wants_all == is_empty(*filter)) return filter;
  return invalid(wants_all ? "'all' and a filter contradict each other"
                           : "say which dead letters: numbers, a filter, or all: true");
}

Result<RedriveRequest> read_redrive(const Value& arguments) {
  constexpr std::uint64_t kMost = 1'000'000;
  const auto canaries = read_integer(arguments, "canaries", kMost);
  if (!canaries) return canaries.failure();
  const auto rate = read_integer(arguments, "rate", kMost);
  if (!rate) return rate.failure();
  const std::string rest = without_pace(arguments);
  auto choice = read_choice(Value::trusted(rest));
  if (!choice) return choice.failure();
  return RedriveRequest{.filter = std::move(*choice),
                        .canaries = static_cast<std::uint32_t>(canaries->value_or(0)),
                        .rate = static_cast<std::uint32_t>(rate->value_or(0)),
                        .by = read_by(arguments),
                        .arguments = to_json(arguments)};
}

Result<std::uint64_t> read_task(const Value& arguments, bool required) {
  const auto task = read_integer(arguments, "task", std::numeric_limits<std::uint64_t>::max());
  if (!task) return task.failure();
  if (required && !*task) return invalid("task must be the number of a redrive");
  return task->value_or(0);
}

Result<AuditPage> read_audit_page(const Value& arguments) {
  const auto before = read_integer(arguments, "before", std::numeric_limits<std::uint64_t>::max());
  if (!before) return before.failure();
  const auto limit = read_integer(arguments, "limit", 1000);
  if (!limit) return limit.failure();
  return AuditPage{.before = before->value_or(0), .limit = limit->value_or(100)};
}

std::string read_by(const Value& arguments) {
  constexpr std::size_t kMost = 200;
  const auto by = arguments.find("by");
  const auto text = by ? by->string() : std::nullopt;
  return text ? std::string(cut_text(*text, kMost)) : "";
}

}  // namespace conga::bus
