// SPDX-License-Identifier: Apache-2.0

#include "cli/top_view.h"

#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

namespace conga::cli {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kBackspace = '\x7f';
constexpr std::array<std::string_view, 5> kSortNames{
    "rate", "backlog", "oldest", "retries", "name"};

Value list_of(const Value& map, std::string_view key) {
  return map.find(key).value_or(Value());
}

TargetMeasure measure_target(const Value& target) {
  TargetMeasure measured;
  measured.service = text_of(target, "service");
  measured.state = text_of(target, "state");
  measured.pending = count_of(target, "pending");
  measured.attempts = count_of(target, "attempts");
  measured.retries = count_of(target, "retry-attempts");
  measured.settled = count_of(target, "settled");
  if (const auto age = parse_duration(text_of(target, "oldest"))) measured.oldest = *age;
  return measured;
}

/// `1234`, `56.7`, `0`, or `-`.
std::string rate_text(const std::optional<double>& rate) {
  if (!rate) return "-";
  return *rate == 0.0 ? "0" : decimal(*rate);
}

Cell rate_cell(const std::optional<double>& rate, Colour colour = Colour::Plain) {
  const bool some = rate && *rate > 0.0;
  return {.text = rate_text(rate), .colour = some ? colour : Colour::Plain, .right = true};
}

Table table_of(const std::vector<TopRow>& rows, std::size_t most) {
  Table table({"RULE",
               "TARGET",
               "STATE",
               "MATCHED/S",
               "SENT/S",
               "SETTLED/S",
               "RETRIED/S",
               "PENDING",
               "OLDEST",
               "INSTANCES"});
  for (const TopRow& row : rows) {
    if (most-- == 0) break;
    const bool well = row.state == "ok" || row.state.empty();
    table.add({Cell{.text = printable(row.rule)},
               Cell{.text = row.target.empty() ? "topics" : printable(row.target)},
               Cell{.text = row.state, .colour = well ? Colour::Green : Colour::Yellow},
               rate_cell(row.matched),
               rate_cell(row.sent),
               rate_cell(row.settled),
               rate_cell(row.retried, Colour::Yellow),
               Cell{.text = std::to_string(row.pending), .right = true},
               Cell{.text = row.pending == 0 ? "-" : human_duration(row.oldest), .right = true},
               Cell{.text = std::to_string(row.instances), .right = true}});
  }
  return table;
}

/// Cut to the terminal's width, code point by code point; colours are not counted.
std::string cut_line(std::string_view line, std::size_t width) {
  std::string cut;
  std::size_t columns = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == kEscape) {
      const std::size_t end = std::min(line.find('m', at), line.size() - 1);
      cut += line.substr(at, end + 1 - at);
      at = end + 1;
      continue;
    }
    constexpr unsigned kContinuation = 0xc0U;
    const bool starts = (static_cast<unsigned char>(line[at]) & kContinuation) != 0x80U;
    if (starts && columns++ == width) break;
    cut += line[at++];
  }
  return cut;
}

}  // namespace

Measurement measurement_of(SteadyTime at,
                           const Value& bus,
                           const Value& rules,
                           const Value& sidecar) {
  Measurement measurement;
  measurement.at = at;
  measurement.bus = text_of(bus, "bus");
  measurement.bus_boot = count_of(bus, "boot");
  measurement.generation = count_of(rules, "generation");
  measurement.accepted = count_of(list_of(bus, "events"), "accepted");
  const Value rule_list = list_of(rules, "rules");
  for (const Value& rule : rule_list.elements()) {
    measurement.matches[text_of(rule, "name")] = count_of(rule, "matches");
  }
  if (!sidecar.is_map()) return measurement;
  measurement.sidecar_since = std::to_string(count_of(list_of(bus, "link"), "sidecar-boot"));
  measurement.pending = count_of(sidecar, "pending");
  measurement.in_flight = count_of(sidecar, "in-flight");
  measurement.dead_letters = count_of(sidecar, "dead-letters");
  const Value targets = list_of(sidecar, "targets");
  for (const Value& target : targets.elements()) {
    measurement.targets[{text_of(target, "rule"), text_of(target, "target")}] =
        measure_target(target);
  }
  const Value services = list_of(sidecar, "services");
  for (const Value& service : services.elements()) {
    measurement.instances[text_of(service, "service")] = list_of(service, "instances").size();
  }
  return measurement;
}

void TopView::take(Measurement measurement) {
  before_ = std::move(now_);
  now_ = std::move(measurement);
}

bool TopView::press(char key) {
  if (typing_) {
    press_in_filter(key);
    return true;
  }
  constexpr std::string_view kSortKeys = "rbotn";  // in the order of Sort, see draw()
  switch (key) {
    case 'q':
      return false;
    case 's':
      sort_ = static_cast<Sort>((static_cast<std::size_t>(sort_) + 1) % kSortNames.size());
      return true;
    case '/':
      typing_ = true;
      filter_.clear();
      return true;
    case kEscape:
      filter_.clear();
      return true;
    default:
      if (const auto found = kSortKeys.find(key); found != std::string_view::npos) {
        sort_ = static_cast<Sort>(found);
      }
      return true;
  }
}

void TopView::press_in_filter(char key) {
  if (key == '\n' || key == '\r') {
    typing_ = false;
  } else if (key == kEscape) {
    typing_ = false;
    filter_.clear();
  } else if (key == kBackspace || key == '\b') {
    if (!filter_.empty()) filter_.pop_back();
  } else if (key >= ' ' && key <= '~') {
    filter_ += key;
  }
}

std::optional<double> TopView::rate(std::uint64_t now, std::uint64_t before, bool same_run) const {
  const std::chrono::duration<double> passed = now_->at - before_->at;
  if (!same_run || now < before || passed.count() <= 0) return std::nullopt;
  return static_cast<double>(now - before) / passed.count();
}

std::vector<TopRow> TopView::rows() const {
  std::vector<TopRow> rows;
  if (!is_ready()) return rows;
  const bool same_bus =
      now_->bus_boot == before_->bus_boot && now_->generation == before_->generation;
  const bool same_sidecar = now_->sidecar_since == before_->sidecar_since;
  const auto matched = [&](const std::string& rule) {
    const auto now = now_->matches.find(rule);
    const auto before = before_->matches.find(rule);
    const bool both = now != now_->matches.end() && before != before_->matches.end();
    return both ? rate(now->second, before->second, same_bus) : std::nullopt;
  };
  std::map<std::string, bool> has_targets;
  for (const auto& [name, now] : now_->targets) {
    has_targets[name.first] = true;
    const auto found = before_->targets.find(name);
    const TargetMeasure before = found == before_->targets.end() ? TargetMeasure{} : found->second;
    const auto instances = now_->instances.find(now.service);
    rows.push_back({.rule = name.first,
                    .target = name.second,
                    .state = now.state,
                    .matched = matched(name.first),
                    .sent = rate(now.attempts, before.attempts, same_sidecar),
                    .settled = rate(now.settled, before.settled, same_sidecar),
                    .retried = rate(now.retries, before.retries, same_sidecar),
                    .pending = now.pending,
                    .oldest = now.oldest,
                    .instances = instances == now_->instances.end() ? 0 : instances->second});
  }
  for (const auto& each : now_->matches) {
    if (has_targets.contains(each.first)) continue;
    TopRow row;
    row.rule = each.first;
    row.matched = matched(each.first);
    rows.push_back(std::move(row));
  }
  std::erase_if(rows, [this](const TopRow& row) {
    return row.rule.find(filter_) == std::string::npos
           && row.target.find(filter_) == std::string::npos;
  });
  const auto weight = [this](const TopRow& row) {
    switch (sort_) {
      case Sort::Rate:
        return std::max(row.sent.value_or(0), row.matched.value_or(0));
      case Sort::Backlog:
        return static_cast<double>(row.pending);
      case Sort::Oldest:
        return static_cast<double>(row.oldest.count());
      case Sort::Retries:
        return row.retried.value_or(0);
      case Sort::Name:
        return 0.0;
    }
    return 0.0;
  };
  std::ranges::stable_sort(rows, [&](const TopRow& one, const TopRow& other) {
    return std::tuple(-weight(one), one.rule, one.target)
           < std::tuple(-weight(other), other.rule, other.target);
  });
  return rows;
}

std::string TopView::heading() const {
  const auto accepted =
      rate(now_->accepted, before_->accepted, now_->bus_boot == before_->bus_boot);
  std::size_t instances = 0;
  for (const auto& each : now_->instances) instances += each.second;
  return "bus " + printable(now_->bus) + ": " + rate_text(accepted) + " events/s, "
         + std::to_string(now_->pending) + " pending, " + std::to_string(now_->in_flight)
         + " in flight, " + counted(now_->dead_letters, "dead letter") + ", "
         + counted(instances, "instance");
}

std::string TopView::draw(std::size_t height, const Look& look) const {
  constexpr std::size_t kFrame = 4;  // heading, keys, the table's heading, what is left out
  if (!is_ready()) return "measuring…";
  const std::vector<TopRow> all = rows();
  const std::size_t room = height > kFrame ? height - kFrame : 1;
  std::string keys = "sorted by " + std::string(kSortNames[static_cast<std::size_t>(sort_)])
                     + "; s the next; r b o t n sort by rate, backlog, oldest, retries, name; / "
                       "filters, q quits";
  if (typing_ || !filter_.empty()) keys = "filter: " + filter_ + (typing_ ? "_" : "") + "; " + keys;
  std::string text = paint(look, Colour::Bold, heading()) + "\n" + paint(look, Colour::Dim, keys)
                     + "\n" + table_of(all, room).text(look);
  if (all.size() > room) text += "… and " + std::to_string(all.size() - room) + " more\n";
  std::string cut;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (!cut.empty()) cut += "\n";
    cut += cut_line(rest.substr(0, end), look.width);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return cut;
}

std::string TopView::text(const Look& look) const {
  const std::vector<TopRow> all = rows();
  return heading() + "\n" + table_of(all, all.size()).text(look);
}

std::string TopView::json() const {
  std::string bytes;
  Packer packer(bytes);
  const std::vector<TopRow> all = rows();
  const auto pack_rate = [&packer](std::string_view key, const std::optional<double>& value) {
    packer.key(key);
    value ? packer.number(*value) : packer.null();
  };
  packer.map(6).key("bus").string(now_->bus);
  pack_rate("accepted-per-second",
            rate(now_->accepted, before_->accepted, now_->bus_boot == before_->bus_boot));
  packer.key("pending").unsigned_integer(now_->pending);
  packer.key("in-flight").unsigned_integer(now_->in_flight);
  packer.key("dead-letters").unsigned_integer(now_->dead_letters);
  packer.key("rows").array(all.size());
  for (const TopRow& row : all) {
    packer.map(10).key("rule").string(row.rule).key("target").string(row.target);
    packer.key("state").string(row.state);
    pack_rate("matched-per-second", row.matched);
    pack_rate("sent-per-second", row.sent);
    pack_rate("settled-per-second", row.settled);
    pack_rate("retried-per-second", row.retried);
    packer.key("pending").unsigned_integer(row.pending);
    packer.key("oldest-us").integer(row.oldest.count());
    packer.key("instances").unsigned_integer(row.instances);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

}  // namespace conga::cli
