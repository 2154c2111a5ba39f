// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/tap.h"

#include "cli/archive_lines.h"
#include "cli/event_text.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/topics.h"

#include <utility>

namespace conga::cli {
namespace {

std::string topic_of(const TapOptions& options) {
  return options.topic.empty() ? std::string("event/") : routed_topic(options.topic);
}

}  // namespace

std::string fault_of(const TapOptions& options) {
  if (options.since.empty()) return options.follow ? "tap --follow goes with --since" : "";
  if (options.journal.empty()) return "tap --since needs --journal DIR: where the archive is";
  if (!options.topic.empty())
    return "tap --since knows no --topic: what rules send is not archived";
  return "";
}

Result<std::unique_ptr<LineSource>> open_past(const TapOptions& options, const Clock& clock) {
  const ArchiveChoice choice{
      .journal = options.journal, .since = options.since, .until = {}, .pattern = options.pattern};
  return open_archive_lines(
      choice, clock, [](const Archived& archived) { return to_json(archived.event.map); });
}

Tap::Tap(ClientSettings settings,
         const TapOptions& options,
         EventFilter filter,
         std::unique_ptr<LineSource> past,
         Screen& screen,
         Look look)
    : BusCommand(std::move(settings), screen, {topic_of(options)}),
      topic_(topic_of(options)),
      count_(options.count),
      filter_(std::move(filter)),
      look_(look),
      past_(std::move(past)),
      follow_(options.since.empty() || options.follow) {}

/// The bus hears us, so what it accepts from now on comes live. What it accepted before is in the
/// archive once the sidecar has answered, for the question goes the same way after it.
void Tap::begin(const Time& now) {
  if (past_) {
    stage_ = Stage::Settling;
    ask(now, "sidecar.status");
  }
  if (look_.progress && !look_.json) {
    screen().note("tapping " + topic_ + (topic_.ends_with('/') ? "…" : "") + " on "
                  + settings().subscribe + "; Ctrl-C ends\n");
  }
}

void Tap::take(const Time& /*now*/, Frame& frame) {
  // A subscription is a prefix: `topic/fares` also brings `topic/fares-old`.
  if (!topic_.ends_with('/') && frame.topic != topic_) return;
  std::string_view body = frame.body;
  while (!body.empty() && !exit_code()) {
    const auto event = Value::take(body);
    if (!event) {
      screen().note("conga: skipped what is no event on " + printable(frame.topic) + ": "
                    + event.error().what + "\n");
      return;
    }
    if (!filter_ || filter_(*event)) take_event(*event);
  }
}

void Tap::take_event(const Value& event) {
  if (stage_ != Stage::Live) {
    live_.emplace_back(event.bytes());
  } else if (!was_shown(event)) {
    show(event);
  }
}

/// An event may be read from the archive before it arrives live.
bool Tap::was_shown(const Value& event) const {
  if (past_ids_.empty()) return false;
  const auto id = event.find("id");
  const auto text = id ? id->string() : std::nullopt;
  return text && past_ids_.contains(*text);
}

void Tap::answered(const Time& now, const Answer& /*answer*/) {
  stage_ = Stage::Past;
  now_ = now.steady;
}

/// The archive can be read without its sidecar; what that has not written yet will be missing.
bool Tap::refused(const Time& now, const Answer& /*answer*/) {
  screen().note("conga: the sidecar does not answer: the newest of the past may be missing\n");
  stage_ = Stage::Past;
  now_ = now.steady;
  return true;
}

void Tap::turn(const Time& now) {
  now_ = now.steady;
  if (stage_ == Stage::Past) read_past();
}

std::optional<SteadyTime> Tap::due() const {
  if (stage_ != Stage::Past) return std::nullopt;
  constexpr Duration kAgain = std::chrono::milliseconds(5);
  return past_waits_ ? now_ + kAgain : now_;
}

/// A bounded part of it, so that live events are taken meanwhile.
void Tap::read_past() {
  constexpr int kLinesPerTurn = 500;
  std::string line;
  for (int lines = 0; lines < kLinesPerTurn && !exit_code(); ++lines) {
    const auto came = past_->next(line);
    past_waits_ = came == LineSource::Next::Later;
    if (past_waits_) return;
    if (came == LineSource::Next::Broken) {
      return fail_with(ExitCode::Refused, printable(line));
    }
    if (came == LineSource::Next::End) return end_past();
    const auto event = json_to_msgpack(line);
    if (!event) continue;
    const Value value = Value::trusted(*event);
    if (const auto id = value.find("id")) {
      past_order_.emplace_back(id->string().value_or(""));
      past_ids_.insert(past_order_.back());
    }
    constexpr std::size_t kRemembered = 100'000;
    if (past_order_.size() > kRemembered) {
      past_ids_.erase(past_order_.front());
      past_order_.pop_front();
    }
    show(value);
  }
}

/// What came live meanwhile and is in the archive was shown.
void Tap::end_past() {
  stage_ = Stage::Live;
  if (!follow_) return finish(ExitCode::Done);
  for (const std::string& bytes : std::exchange(live_, {})) {
    const Value event = Value::trusted(bytes);
    if (!was_shown(event) && !exit_code()) show(event);
  }
  past_.reset();
}

void Tap::show(const Value& event) {
  if (look_.json) {
    screen().print(to_json(event) + "\n");
  } else if (const auto view = read_event(event.bytes())) {
    screen().print(pretty_event(*view, look_));
  } else {
    screen().print(printable(to_json(event)) + "\n");
  }
  if (++shown_ == count_) finish(ExitCode::Done);
}

}  // namespace conga::cli
