// SPDX-License-Identifier: Apache-2.0

#include "cli/flow.h"

#include "bus/sidecar/pseudo_targets.h"
#include "cli/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace conga::cli {
namespace {

constexpr std::size_t kAbsolute = std::string_view("10:00:00.123456").size();
constexpr std::size_t kRelative = 11;
constexpr std::size_t kTimes = kAbsolute + kRelative + 2;

std::optional<WallTime> time_at(const Value& map, std::string_view key) {
  const auto time = parse_rfc3339(text_of(map, key));
  return time ? std::optional<WallTime>(*time) : std::nullopt;
}

Value::Elements elements_of(const Value& map, std::string_view key) {
  return map.find(key).value_or(Value()).elements();
}

FlowAttempt read_attempt(const Value& value) {
  return {.number = count_of(value, "attempt"),
          .instance = text_of(value, "instance"),
          .sent = time_at(value, "sent"),
          .ended = time_at(value, "ended"),
          .outcome = text_of(value, "outcome"),
          .code = text_of(value, "code"),
          .message = text_of(value, "message")};
}

FlowDelivery read_delivery(const Value& value) {
  FlowDelivery delivery{.rule = text_of(value, "rule"),
                        .target = text_of(value, "target"),
                        .outcome = text_of(value, "outcome"),
                        .attempts = {}};
  for (const Value& attempt : elements_of(value, "attempts")) {
    delivery.attempts.push_back(read_attempt(attempt));
  }
  return delivery;
}

FlowEvent read_flow_event(const Value& value) {
  FlowEvent event{.id = text_of(value, "id"),
                  .source = text_of(value, "source"),
                  .detail_type = text_of(value, "detail-type"),
                  .correlation_id = text_of(value, "correlation-id"),
                  .causation_id = text_of(value, "causation-id"),
                  .at = time_at(value, "ingested"),
                  .sequence = count_of(value, "sequence"),
                  .deliveries = {}};
  if (!event.at) event.at = time_at(value, "time");
  for (const Value& each : elements_of(value, "deliveries")) {
    FlowDelivery delivery = read_delivery(each);
    if (!bus::is_pseudo_target(delivery.target)) {
      event.deliveries.push_back(std::move(delivery));
    } else if (delivery.target == bus::kExpectationTarget) {
      event.expectations.push_back(std::move(delivery));
    }
  }
  return event;
}

bool is_dead(const FlowDelivery& delivery) {
  return delivery.outcome.starts_with("dead");
}

bool is_ok(std::string_view outcome) {
  return outcome == "ok" || outcome == "settled";
}

Colour colour_of(std::string_view outcome) {
  if (is_ok(outcome)) return Colour::Green;
  return outcome.starts_with("dead") || outcome == "reject" ? Colour::Red : Colour::Yellow;
}

/// Of a participant or a message: what would end a line or a name of Mermaid's is replaced.
std::string mermaid_name(std::string text) {
  std::ranges::replace_if(
      text,
      [](char letter) { return std::string_view(":;,#\n").find(letter) != std::string_view::npos; },
      ' ');
  return text;
}

struct Totals {
  std::uint64_t deliveries = 0;
  std::uint64_t dead = 0;
  std::uint64_t repeats = 0;     ///< Attempts after the first.
  std::optional<WallTime> last;  ///< When the last thing happened.
};

void add(const FlowDelivery& delivery, Totals& totals) {
  ++totals.deliveries;
  if (is_dead(delivery)) ++totals.dead;
  if (delivery.attempts.size() > 1) totals.repeats += delivery.attempts.size() - 1;
  for (const FlowAttempt& attempt : delivery.attempts) {
    totals.last = std::max(totals.last, attempt.ended);
  }
}

Totals totals_of(const std::vector<FlowEvent>& events) {
  Totals totals;
  for (const FlowEvent& event : events) {
    totals.last = std::max(totals.last, event.at);
    for (const FlowDelivery& delivery : event.deliveries) add(delivery, totals);
  }
  return totals;
}

/// Draws the tree; holds what every line needs.
class Drawing {
public:
  Drawing(const std::vector<FlowEvent>& events, const Look& look) : events_(events), look_(look) {
    std::set<std::string_view> ids;
    for (const FlowEvent& event : events) ids.insert(event.id);
    for (std::size_t at = 0; at < events.size(); ++at) {
      const std::string& cause = events[at].causation_id;
      // An event that names itself as its cause would hang below nothing.
      const bool is_root = !ids.contains(cause) || cause == events[at].id;
      effects_[is_root ? std::string_view() : std::string_view(cause)].push_back(at);
    }
  }

  std::string draw() {
    add_heading();
    const auto roots = effects_.find(std::string_view());
    if (roots != effects_.end()) {
      for (const std::size_t root : roots->second) draw_event(root, "", "");
    }
    // Whatever is left hangs in a ring of causes, which only broken publishers make.
    for (std::size_t at = 0; at < events_.size(); ++at) {
      if (!drawn_.contains(at)) draw_event(at, "", "");
    }
    return std::move(out_);
  }

private:
  void add_heading();
  void draw_event(std::size_t at, const std::string& branch, const std::string& stem);
  void draw_delivery(const FlowDelivery& delivery, const std::string& stem);
  void draw_attempt(const FlowAttempt& attempt, const std::string& stem);
  void add_line(const std::optional<WallTime>& at,
                const std::string& stem,
                const std::string& text);

  /// The times' columns: absolute, and after the flow's first event.
  std::string times_of(const std::optional<WallTime>& at) const;

  const std::vector<FlowEvent>& events_;
  const Look& look_;
  std::map<std::string_view, std::vector<std::size_t>> effects_;  ///< By cause; roots by nothing.
  std::set<std::size_t> drawn_;
  std::set<std::string_view> ids_drawn_;  ///< A redriven event is in the journal again.
  std::string out_;
};

void Drawing::add_heading() {
  const FlowEvent& first = events_.front();
  const Totals totals = totals_of(events_);
  out_ += paint(look_, Colour::Bold, first.correlation_id.empty() ? first.id : first.correlation_id)
          + ": " + counted(events_.size(), "event");
  if (totals.last && first.at) out_ += " in " + human_duration(*totals.last - *first.at);
  out_ += ", " + std::to_string(totals.deliveries)
          + (totals.deliveries == 1 ? " delivery" : " deliveries");
  if (totals.repeats > 0) out_ += ", " + std::to_string(totals.repeats) + " tried again";
  if (totals.dead > 0) {
    out_ += ", " + paint(look_, Colour::Red, counted(totals.dead, "dead letter"));
  }
  constexpr std::size_t kDate = std::string_view("2026-11-23").size();
  if (first.at) out_ += "; times are UTC on " + format_rfc3339(*first.at).substr(0, kDate);
  out_ += "\n\n";
}

std::string Drawing::times_of(const std::optional<WallTime>& at) const {
  if (!at) return {};
  const auto& start = events_.front().at;
  const std::string after = start ? human_offset(*at - *start) : std::string();
  const std::size_t blanks = kRelative - std::min(kRelative, after.size());
  std::string times = time_of_day(format_rfc3339(*at)) + std::string(blanks, ' ') + after + "  ";
  times.resize(kTimes, ' ');
  return times;
}

void Drawing::add_line(const std::optional<WallTime>& at,
                       const std::string& stem,
                       const std::string& text) {
  const std::string times = times_of(at);
  out_ += paint(look_, Colour::Dim, times) + std::string(kTimes - times.size(), ' ')
          + paint(look_, Colour::Dim, stem) + text + "\n";
}

void Drawing::draw_event(std::size_t at, const std::string& branch, const std::string& stem) {
  if (!drawn_.insert(at).second) return;
  const FlowEvent& event = events_[at];
  add_line(event.at,
           branch,
           paint(look_, Colour::Bold, event.detail_type) + " "
               + paint(look_, Colour::Cyan, event.source) + " "
               + paint(look_, Colour::Dim, event.id)
               + (ids_drawn_.insert(event.id).second ? "" : " (redriven)"));
  const auto found = effects_.find(event.id);
  const bool has_effects = found != effects_.end() && !drawn_.contains(found->second.front());
  for (const FlowDelivery& delivery : event.deliveries) {
    draw_delivery(delivery, stem + (has_effects ? "│ " : "  "));
  }
  for (const FlowDelivery& expectation : event.expectations) {
    const bool ended = is_ok(expectation.outcome);
    add_line(std::nullopt,
             stem + (has_effects ? "│ " : "  "),
             "expectation " + expectation.rule + ": "
                 + paint(look_,
                         ended ? Colour::Plain : Colour::Yellow,
                         ended ? "over, met or told to be missed" : "waiting"));
  }
  if (!has_effects) return;
  for (const std::size_t effect : found->second) {
    const bool is_last = effect == found->second.back();
    draw_event(effect, stem + (is_last ? "└─" : "├─"), stem + (is_last ? "  " : "│ "));
  }
}

void Drawing::draw_delivery(const FlowDelivery& delivery, const std::string& stem) {
  std::string text = "→ " + delivery.target + paint(look_, Colour::Dim, " by " + delivery.rule)
                     + ": " + paint(look_, colour_of(delivery.outcome), delivery.outcome);
  const bool is_plain = delivery.attempts.size() == 1 && is_ok(delivery.outcome)
                        && is_ok(delivery.attempts[0].outcome);
  if (!is_plain) {
    add_line(std::nullopt, stem, text);
    for (const FlowAttempt& attempt : delivery.attempts) draw_attempt(attempt, stem + "    ");
    return;
  }
  const FlowAttempt& attempt = delivery.attempts.front();
  if (attempt.sent && attempt.ended)
    text += " in " + human_duration(*attempt.ended - *attempt.sent);
  if (!attempt.instance.empty()) text += paint(look_, Colour::Dim, " (" + attempt.instance + ")");
  add_line(attempt.sent, stem, text);
}

void Drawing::draw_attempt(const FlowAttempt& attempt, const std::string& stem) {
  std::string text = "attempt " + std::to_string(attempt.number) + ": "
                     + paint(look_, colour_of(attempt.outcome), attempt.outcome);
  if (!attempt.code.empty()) text += " " + attempt.code;
  if (!attempt.message.empty()) text += ": " + attempt.message;
  if (attempt.sent && attempt.ended)
    text += ", after " + human_duration(*attempt.ended - *attempt.sent);
  if (!attempt.instance.empty()) text += paint(look_, Colour::Dim, " (" + attempt.instance + ")");
  add_line(attempt.sent, stem, text);
}

}  // namespace

std::vector<FlowEvent> read_flow(const Value& answer) {
  std::vector<FlowEvent> events;
  for (const Value& event : elements_of(answer, "events")) events.push_back(read_flow_event(event));
  std::stable_sort(events.begin(), events.end(), [](const FlowEvent& one, const FlowEvent& other) {
    return one.sequence < other.sequence;
  });
  return events;
}

std::string draw_flow(const std::vector<FlowEvent>& events, const Look& look) {
  return events.empty() ? std::string() : Drawing(events, look).draw();
}

std::string mermaid_flow(const std::vector<FlowEvent>& events) {
  std::string text = "sequenceDiagram\n";
  for (const FlowEvent& event : events) {
    for (const FlowDelivery& delivery : event.deliveries) {
      const bool ended = is_ok(delivery.outcome) || is_dead(delivery);
      const char* const arrow = is_dead(delivery) ? " -x " : ended ? " ->> " : " --) ";
      text += "  " + mermaid_name(event.source) + arrow + mermaid_name(delivery.target) + ": "
              + mermaid_name(event.detail_type);
      if (delivery.attempts.size() > 1) {
        text += ", " + counted(delivery.attempts.size(), "attempt");
      }
      if (is_dead(delivery) && !delivery.attempts.empty()) {
        text += ", " + mermaid_name(delivery.attempts.back().code);
      }
      text += "\n";
    }
  }
  return text;
}

bool is_over(const std::vector<FlowEvent>& events) {
  const auto ended = [](const FlowDelivery& delivery) {
    return is_ok(delivery.outcome) || is_dead(delivery);
  };
  return std::ranges::all_of(events, [&ended](const FlowEvent& event) {
    return std::ranges::all_of(event.deliveries, ended);
  });
}

}  // namespace conga::cli
