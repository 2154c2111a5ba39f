// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/map.h"

#include "cli/commands/rules_flow.h"
#include "cli/complain.h"
#include "cli/declarations.h"
#include "cli/graphviz.h"
#include "cli/suggestions.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <utility>

namespace conga::cli {
namespace {

using bus::Arrow;

Cell number(std::uint64_t value, Colour colour = Colour::Plain) {
  return {
      .text = std::to_string(value), .colour = value == 0 ? Colour::Plain : colour, .right = true};
}

Cell took(const FlowEdge& edge, Duration value) {
  const bool any = edge.count > edge.pending + edge.dead_letters;
  return {.text = any ? human_duration(value) : "-", .right = true};
}

/// Events in a second over the whole period.
double per_second(const FlowEdge& edge, Duration period) {
  if (period <= Duration(0)) return 0.0;
  return static_cast<double>(edge.count) / std::chrono::duration<double>(period).count();
}

/// `12.5/s`, `3.2/min` or `0.4/h`; `-`: all came at one moment.
std::string rate_text(double per_second) {
  if (per_second <= 0.0) return "-";
  constexpr double kMinute = 60.0;
  constexpr double kHour = 3600.0;
  if (per_second >= 1.0) return decimal(per_second) + "/s";
  if (per_second * kMinute >= 1.0) return decimal(per_second * kMinute) + "/min";
  return decimal(per_second * kHour) + "/h";
}

std::string oldest_text(const FlowEdge& edge) {
  return edge.pending == 0 ? "-" : human_duration(edge.oldest_pending);
}

std::string text_of(const FlowMap& map, const std::vector<FlowEdge>& edges, const Look& look) {
  std::string text;
  if (!edges.empty()) {
    Table table({"FROM",
                 "EVENT",
                 "TO",
                 "RULE",
                 "COUNT",
                 "RATE",
                 "P50",
                 "P99",
                 "RETRIES",
                 "DEAD",
                 "PENDING",
                 "OLDEST"});
    for (const FlowEdge& edge : edges) {
      table.add({Cell{.text = printable(edge.from)},
                 Cell{.text = printable(edge.detail_type)},
                 Cell{.text = printable(edge.to)},
                 Cell{.text = printable(edge.rule)},
                 number(edge.count),
                 Cell{.text = rate_text(per_second(edge, map.period())), .right = true},
                 took(edge, edge.p50),
                 took(edge, edge.p99),
                 number(edge.retries, Colour::Yellow),
                 number(edge.dead_letters, Colour::Red),
                 number(edge.pending, Colour::Yellow),
                 Cell{.text = oldest_text(edge), .right = true}});
    }
    text = table.text(look) + "\n";
  }
  for (const auto& [what, count] : map.unmatched()) {
    text += printable(what.first + " " + what.second) + ": " + counted(count, "event")
            + " that no rule sent anywhere\n";
  }
  return text + counted(map.events(), "event") + "\n";
}

void pack(Packer& packer, const FlowEdge& edge, Duration period) {
  const auto microseconds = [](Duration value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  };
  packer.map(12).key("from").string(edge.from).key("detail-type").string(edge.detail_type);
  packer.key("rule").string(edge.rule).key("to").string(edge.to);
  packer.key("count").unsigned_integer(edge.count);
  packer.key("per-second").number(per_second(edge, period));
  packer.key("retries").unsigned_integer(edge.retries);
  packer.key("dead-letters").unsigned_integer(edge.dead_letters);
  packer.key("pending").unsigned_integer(edge.pending);
  packer.key("oldest-pending-us").unsigned_integer(microseconds(edge.oldest_pending));
  packer.key("p50-us").unsigned_integer(microseconds(edge.p50));
  packer.key("p99-us").unsigned_integer(microseconds(edge.p99));
}

std::string json_of(const FlowMap& map, const std::vector<FlowEdge>& edges) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(4).key("events").unsigned_integer(map.events());
  packer.key("period-us").integer(map.period().count()).key("edges").array(edges.size());
  for (const FlowEdge& edge : edges) pack(packer, edge, map.period());
  packer.key("unmatched").array(map.unmatched().size());
  for (const auto& [what, count] : map.unmatched()) {
    packer.map(3).key("source").string(what.first).key("detail-type").string(what.second);
    packer.key("count").unsigned_integer(count);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

/// For drawing: the figures stand with the event's name.
std::vector<Arrow> labelled(const std::vector<FlowEdge>& edges, Duration period) {
  std::vector<Arrow> arrows;
  for (const FlowEdge& edge : edges) {
    std::string label = edge.detail_type + " " + std::to_string(edge.count);
    const double rate = per_second(edge, period);
    if (rate > 0.0) label += ", " + rate_text(rate);
    if (edge.p99 > Duration(0)) label += ", p99 " + human_duration(edge.p99);
    if (edge.dead_letters > 0) label += ", " + std::to_string(edge.dead_letters) + " dead";
    if (edge.pending > 0) label += ", " + std::to_string(edge.pending) + " pending";
    arrows.push_back({.from = edge.from,
                      .detail_type = std::move(label),
                      .rule = edge.rule,
                      .to = edge.to,
                      .target = edge.to});
  }
  return arrows;
}

void pack_arrows(Packer& packer, const std::vector<Arrow>& arrows) {
  packer.array(arrows.size());
  for (const Arrow& arrow : arrows) {
    packer.map(4).key("from").string(arrow.from).key("detail-type").string(arrow.detail_type);
    packer.key("rule").string(arrow.rule).key("to").string(arrow.target);
  }
}

std::string difference_text(const FlowDifference& difference, bool json) {
  if (json) {
    std::string bytes;
    Packer packer(bytes);
    packer.map(2).key("declared-never-seen");
    pack_arrows(packer, difference.unseen);
    packer.key("seen-never-declared");
    pack_arrows(packer, difference.undeclared);
    return to_json(Value::trusted(bytes)) + "\n";
  }
  std::string text;
  const auto tell = [&text](std::string_view kind, const std::vector<Arrow>& arrows) {
    for (const Arrow& arrow : arrows) {
      text += std::string(kind)
              + printable(arrow.from + "  --" + arrow.detail_type + "-->  " + arrow.target
                          + "   by rule " + arrow.rule)
              + "\n";
    }
  };
  tell("declared, never seen:  ", difference.unseen);
  tell("seen, never declared:  ", difference.undeclared);
  return text.empty() ? "what happened is what is declared\n" : text;
}

ExitCode suggest_expectations(
    Files& files, const MapOptions& options, WallTime now, Screen& screen, Look look) {
  Suggestions suggestions;
  if (options.since) suggestions.set_since(now - *options.since);
  JournalReader reader([&suggestions](const JournalEntry& entry) { suggestions.add(entry); });
  const auto scan = read_journal(files, options.journal, reader);
  if (!scan) return complain(screen, scan.error().what);
  const std::vector<Suggestion> list = suggestions.list();
  if (look.json) {
    screen.print(to_json(list) + "\n");
  } else if (list.empty()) {
    screen.note("nothing is followed by the same often enough: 20 times, and 99 in 100\n");
  } else {
    screen.print(to_yaml(list));
  }
  return ExitCode::Done;
}

}  // namespace

std::string fault_of(const MapOptions& options) {
  const bool draws = options.mermaid || options.dot || options.svg;
  if (options.suggest && (options.diff || draws)) {
    return "map --suggest-expectations: leave out --diff, --mermaid, --dot and --svg";
  }
  if (options.diff && (options.rules.empty() || options.manifests.empty())) {
    return "map --diff needs --rules FILE… and --manifests FILE…: what is declared";
  }
  return "";
}

ExitCode show_map(
    Files& files, const MapOptions& options, WallTime now, Screen& screen, Look look) {
  const auto declared = load_declarations(options.manifests);
  if (!declared) return complain(screen, declared.error().what);
  FlowMap map(*declared);
  if (options.since) map.set_since(now - *options.since);
  if (options.suggest) return suggest_expectations(files, options, now, screen, look);
  JournalReader reader([&map](const JournalEntry& entry) { map.add(entry); });
  const auto scan = read_journal(files, options.journal, reader);
  if (!scan) return complain(screen, scan.error().what);
  const std::vector<FlowEdge> edges = map.edges(now);
  if (options.diff) {
    const auto rules = bus::RuleSet::load(options.rules);
    if (!rules) return complain(screen, rules.error().what);
    const FlowDifference difference = difference_of(edges, arrows_of(*rules, *declared), *declared);
    screen.print(difference_text(difference, look.json));
    const bool same = difference.unseen.empty() && difference.undeclared.empty();
    return same ? ExitCode::Done : ExitCode::Refused;
  }
  if (look.json) {
    screen.print(json_of(map, edges));
  } else if (options.svg) {
    const auto drawn = print_svg(dot_of(labelled(edges, map.period())));
    if (!drawn) return complain(screen, drawn.error().what);
  } else if (options.mermaid || options.dot) {
    const std::vector<Arrow> arrows = labelled(edges, map.period());
    screen.print(options.mermaid ? mermaid_of(arrows) : dot_of(arrows));
  } else {
    screen.print(text_of(map, edges, look));
  }
  return ExitCode::Done;
}

}  // namespace conga::cli
