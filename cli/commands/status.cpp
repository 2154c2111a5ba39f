// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/status.h"

#include "cli/describe.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace conga::cli {
namespace {

constexpr Duration kRound = std::chrono::milliseconds(100);

std::string nothing() {
  std::string bytes;
  Packer(bytes).null();
  return bytes;
}

Value::Elements list_in(const Value& map, std::string_view name) {
  return map.find(name).value_or(Value()).elements();
}

bool has_instance(const Value& sidecar, std::string_view service) {
  const auto entries = list_in(sidecar, "services");
  return std::any_of(entries.begin(), entries.end(), [service](const Value& entry) {
    const auto name = entry.find("service");
    const auto instances = entry.find("instances");
    return name && instances && name->string() == service && instances->size() > 0;
  });
}

/// A row for each instance; a service without one has a row too.
std::string flat_instances(const Value& services) {
  std::string rows;
  std::size_t count = 0;
  for (const Value& service : services.elements()) {
    const std::string name = text_of(service, "service");
    const Value instances = service.find("instances").value_or(Value());
    for (const Value& instance : instances.elements()) {
      Packer packer(rows);
      packer.map(instance.size() + 1).key("service").string(name);
      for (const auto& member : instance.members()) packer.key(member.first).value(member.second);
    }
    if (instances.size() == 0) {
      Packer(rows).map(2).key("service").string(name).key("instance").string("none");
    }
    count += std::max<std::size_t>(instances.size(), 1);
  }
  std::string list;
  Packer(list).array(count).raw(rows);
  return list;
}

/// Some target's `start` lies in the past, and the journal has not been read to its end for it.
bool catches_up(const Value& sidecar) {
  const auto targets = sidecar.find("targets");
  if (!targets) return false;
  for (const Value target : targets->elements()) {
    if (count_of(target, "catching-up") > 0) return true;
  }
  return false;
}

/// The sidecar's answer with its services as rows, which is how a table can show them.
std::string flattened(const Value& sidecar) {
  std::string flat;
  Packer packer(flat);
  packer.map(sidecar.size());
  for (const auto& member : sidecar.members()) {
    packer.key(member.first);
    if (member.first == "services") {
      packer.raw(flat_instances(member.second));
    } else {
      packer.value(member.second);
    }
  }
  return flat;
}

}  // namespace

std::string missing_for(const StatusOptions& options, const Value& sidecar) {
  if (!sidecar.is_map()) return "the sidecar does not answer";
  std::string missing;
  for (const std::string& service : options.await) {
    if (!has_instance(sidecar, service)) missing += (missing.empty() ? "" : ", ") + service;
  }
  if (!missing.empty()) return "no ready instance of " + missing;
  if (!options.idle) return "";
  const std::uint64_t pending = count_of(sidecar, "pending") + count_of(sidecar, "in-flight");
  if (pending == 0 && catches_up(sidecar)) return "a target is still catching up";
  if (pending == 0) return "";
  return std::to_string(pending) + (pending == 1 ? " delivery" : " deliveries") + " pending";
}

std::string show_status(const Value& bus,
                        const Value& sidecar,
                        const std::string& fault,
                        const Look& look) {
  std::string out = paint(look, Colour::Bold, "BUS") + "\n" + describe(bus, look) + "\n"
                    + paint(look, Colour::Bold, "SIDECAR") + "\n";
  if (!sidecar.is_map()) return out + "  " + paint(look, Colour::Red, fault) + "\n";
  const std::string flat = flattened(sidecar);
  return out + describe(Value::trusted(flat), look);
}

Status::Status(ClientSettings settings, StatusOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void Status::begin(const Time& now) {
  deadline_ = now.steady + options_.patience;
  ask_both(now);
}

void Status::ask_both(const Time& now) {
  next_round_.reset();
  bus_.reset();
  sidecar_.reset();
  fault_.clear();
  bus_request_ = ask(now, "bus.status");
  ask(now, "sidecar.status");
}

void Status::answered(const Time& now, const Answer& answer) {
  (answer.request == bus_request_ ? bus_ : sidecar_) = answer.result;
  weigh(now);
}

/// A sidecar that is away is a part of the picture, not the end of it.
bool Status::refused(const Time& now, const Answer& answer) {
  if (answer.request == bus_request_) return false;
  fault_ = printable(answer.code) + ": " + printable(answer.message);
  sidecar_ = nothing();
  weigh(now);
  return true;
}

void Status::weigh(const Time& now) {
  if (!bus_ || !sidecar_) return;
  missing_ = missing_for(options_, Value::trusted(*sidecar_));
  if (waits() && !missing_.empty()) {
    next_round_ = now.steady + kRound;
    return;
  }
  show();
  finish(fault_.empty() ? ExitCode::Done : ExitCode::Refused);
}

void Status::turn(const Time& now) {
  if (!next_round_) return;
  if (now.steady >= deadline_) {
    fail_with(ExitCode::Refused,
              missing_ + " after " + format_duration(options_.patience)
                  + (fault_.empty() ? "" : " (" + fault_ + ")"));
  } else if (now.steady >= *next_round_) {
    ask_both(now);
  }
}

std::optional<SteadyTime> Status::due() const {
  return next_round_ ? std::optional(std::min(*next_round_, deadline_)) : std::nullopt;
}

void Status::show() {
  const Value bus = Value::trusted(*bus_);
  const Value sidecar = Value::trusted(*sidecar_);
  if (look_.json) {
    std::string both;
    Packer(both).map(2).key("bus").value(bus).key("sidecar").value(sidecar);
    screen().print(to_json(Value::trusted(both)) + "\n");
  } else if (!waits()) {
    screen().print(show_status(bus, sidecar, fault_, look_));
  }
}

}  // namespace conga::cli
