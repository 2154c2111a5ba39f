// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/put.h"

#include "cli/event_text.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

namespace conga::cli {
namespace {

constexpr int kLinesPerTurn = 2000;  ///< So that a turn stays short and answers are read.
constexpr std::size_t kWindow = 4096;
constexpr Duration kPipePause = std::chrono::milliseconds(10);
constexpr Duration kTelling = std::chrono::milliseconds(200);
constexpr Duration kDrawing = std::chrono::milliseconds(100);

std::string as_json(std::string_view text) {
  std::string bytes;
  Packer(bytes).string(text);
  return to_json(Value::trusted(bytes));
}

/// The event that the flags describe, as one line of JSON.
Result<std::string> event_of_flags(const PutOptions& options) {
  if (options.source.empty() || options.detail_type.empty()) {
    return fail(Fault::Permanent,
                "put needs an event: --source and --detail-type, or a JSON event, a file of JSON "
                "lines, or - for standard input");
  }
  std::string detail = options.detail.empty() ? "{}" : options.detail;
  if (detail.starts_with('@')) {
    auto text = read_text(detail.substr(1));
    if (!text) return fail(Fault::Permanent, "--detail: " + text.error().what);
    detail = std::move(*text);
  }
  const auto parsed = json_to_msgpack(detail);
  if (!parsed) return fail(Fault::Permanent, "--detail: " + parsed.error().what);
  std::string json =
      "{\"source\":" + as_json(options.source) + ",\"detail-type\":" + as_json(options.detail_type);
  const auto add = [&json](std::string_view name, const std::string& text) {
    if (!text.empty()) json += ",\"" + std::string(name) + "\":" + as_json(text);
  };
  add("id", options.id);
  add("correlation-id", options.correlation_id);
  add("key", options.key);
  return json + ",\"detail\":" + to_json(Value::trusted(*parsed)) + "}";
}

bool has_event_flags(const PutOptions& options) {
  return !options.source.empty() || !options.detail_type.empty() || !options.detail.empty()
         || !options.correlation_id.empty() || !options.key.empty() || !options.id.empty();
}

bool is_json_event(std::string_view input) {
  const std::size_t first = input.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && input[first] == '{';
}

bool names_its_id(std::string_view json) {
  const auto bytes = json_to_msgpack(json);
  return bytes && Value::trusted(*bytes).find("id").has_value();
}

}  // namespace

Result<double> parse_rate(std::string_view text) {
  std::string_view digits = text;
  if (digits.ends_with("/s")) digits.remove_suffix(2);
  double rate = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || !std::isfinite(rate)
      || rate < 0.001) {
    return fail(Fault::Permanent,
                "'" + std::string(text) + "' is not a rate: write events a second, such as 500/s");
  }
  return rate;
}

Result<std::unique_ptr<LineSource>> open_input(const PutOptions& options) {
  if (!options.input.empty() && has_event_flags(options)) {
    return fail(Fault::Permanent,
                "give either an event by flags (--source, --detail-type, …) or one as an argument, "
                "not both");
  }
  if (!options.input.empty() && !is_json_event(options.input)) {
    if (options.count == 1) return open_lines(options.input);
    return fail(Fault::Permanent, "--count repeats one event; it does not go with a file or -");
  }
  Result<std::string> event = options.input.empty() ? event_of_flags(options) : options.input;
  if (!event) return event.failure();
  if (options.count > 1 && names_its_id(*event)) {
    return fail(Fault::Permanent,
                "--count with an id would put one event again and again, and the bus would drop "
                "all but the first: leave the id out, and each gets its own");
  }
  return repeat_line(std::move(*event), options.count);
}

Put::Put(const ClientSettings& settings,
         PutOptions options,
         std::unique_ptr<LineSource> lines,
         Random& random,
         Screen& screen,
         Look look)
    : BusCommand(settings, screen, {put_result_topic(settings.name)}),
      options_(std::move(options)),
      lines_(std::move(lines)),
      ids_(random),
      look_(look),
      numbered_(options_.count > 1 || (!options_.input.empty() && !is_json_event(options_.input))),
      publisher_(settings.name, {.window = kWindow}),
      results_(put_result_topic(settings.name)) {}

void Put::drain(const Time& now) {
  if (in_flight_.empty()) {
    hide_progress();
    tell_done();
    BusCommand::drain(now);
    return;
  }
  ended_ = true;
  options_.patience = std::min(options_.patience, settings().timeout);
  last_answer_ = now.steady;
}

void Put::begin(const Time& now) {
  publisher_.set_online(true);
  started_ = now.steady;
  last_answer_ = now.steady;
  next_event_ = now.steady;
  next_drawing_ = now.steady + kDrawing;
  named_ = options_.rules.empty() && options_.targets.empty();
  if (named_) return;
  ask(now, "rules.list");
}

/// A name that is none would be nobody's, and the events put in vain.
void Put::answered(const Time& /*now*/, const Answer& answer) {
  std::set<std::string> rules;
  std::set<std::string> targets;
  const Value list = Value::trusted(answer.result).find("rules").value_or(Value());
  for (const Value& rule : list.elements()) {
    rules.insert(text_of(rule, "name"));
    const Value ends = rule.find("targets").value_or(Value());
    for (const Value& target : ends.elements()) targets.insert(text_of(target, "name"));
  }
  const auto check = [this](std::string_view kind, const auto& wanted, const auto& known) {
    for (const std::string& name : wanted) {
      if (known.contains(name) || exit_code()) continue;
      fail_with(ExitCode::Refused,
                "the bus has no " + std::string(kind) + " '" + name + "': conga rules list");
    }
  };
  check("rule", options_.rules, rules);
  check("target", options_.targets, targets);
  named_ = true;
}

void Put::take(const Time& now, Frame& frame) {
  if (frame.topic == results_) publisher_.on_put_results(now, frame.body);
}

void Put::turn(const Time& now) {
  if (!named_) return;
  report_results(now);
  read_lines(now);
  if (ended_ && in_flight_.empty()) {
    end(now);
  } else if (!in_flight_.empty() && now.steady >= last_answer_ + options_.patience) {
    hide_progress();
    fail_with(ExitCode::NoBus,
              counted(in_flight_.size(), "event")
                  + " put and not answered for, so perhaps not durable; the bus is up, but it has "
                    "accepted nothing for "
                  + format_duration(options_.patience)
                  + ". See `conga status`; putting an event again with the same id does no harm.");
  } else {
    show_progress(now);
  }
}

std::optional<SteadyTime> Put::due() const {
  std::optional<SteadyTime> next = publisher_.wake_at();
  const auto or_at = [&next](SteadyTime at) { next = next ? std::min(*next, at) : at; };
  if (next_read_) or_at(*next_read_);
  if (!in_flight_.empty()) or_at(last_answer_ + options_.patience);
  if (look_.progress) or_at(next_drawing_);
  return next;
}

void Put::emit(const Time& now, std::vector<Frame>& out) {
  publisher_.collect(now, out);
}

void Put::read_lines(const Time& now) {
  next_read_.reset();
  std::string line;
  for (int taken = 0; !ended_ && publisher_.has_room(); ++taken) {
    if (taken == kLinesPerTurn) {
      next_read_ = now.steady;
      return;
    }
    if (is_paced(now)) return;
    switch (lines_->next(line)) {
      case LineSource::Next::Line:
        offer(now, line);
        break;
      case LineSource::Next::Later:
        next_read_ = now.steady + kPipePause;
        return;
      case LineSource::Next::End:
        ended_ = true;
        break;
      case LineSource::Next::Broken:
        hide_progress();
        screen().note("conga: " + line + "\n");
        ended_ = true;
        broken_ = true;
        break;
    }
  }
}

/// True if the next event's time has not come.
bool Put::is_paced(const Time& now) {
  if (options_.rate == 0 || now.steady >= next_event_) return false;
  next_read_ = next_event_;
  return true;
}

void Put::offer(const Time& now, std::string_view line) {
  ++line_;
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  ++offered_;
  if (options_.rate > 0) {
    const double micros = static_cast<double>(offered_) * 1e6 / options_.rate;
    next_event_ = started_ + Duration(static_cast<std::int64_t>(micros));
  }
  auto event = complete_event(line, ids_, now.wall);
  if (!event) {
    report_refused(line_, "", event.error());
    return;
  }
  if (in_flight_.empty()) last_answer_ = now.steady;
  in_flight_[event->id.text()].push_back(line_);
  publisher_.offer(event->id, std::move(event->bytes));
}

void Put::report_results(const Time& now) {
  for (const PutResult& result : publisher_.take_results()) {
    const auto found = in_flight_.find(result.event_id);
    if (found == in_flight_.end()) continue;
    last_answer_ = now.steady;
    for (const std::uint64_t line : found->second) report(result, line);
    in_flight_.erase(found);
  }
  if (now.steady < next_telling_) return;
  next_telling_ = now.steady + kTelling;
  tell_done();
}

/// Every line before the oldest that is in flight.
void Put::tell_done() {
  std::uint64_t done = line_;
  for (const auto& each : in_flight_) done = std::min(done, each.second.front() - 1);
  lines_->done(done);
}

void Put::report(const PutResult& result, std::uint64_t line) {
  if (result.ok()) {
    report_ok(result.event_id, line);
  } else {
    report_refused(line, result.event_id, {Fault::Permanent, result.message, result.code});
  }
}

void Put::report_ok(const std::string& id, std::uint64_t line) {
  ++done_;
  if (options_.quiet) return;
  hide_progress();
  if (look_.json) {
    screen().print("{\"line\":" + std::to_string(line) + ",\"id\":" + as_json(id)
                   + ",\"result\":\"ok\"}\n");
  } else {
    screen().print(id + "\n");
  }
}

void Put::report_refused(std::uint64_t line, const std::string& id, const Error& error) {
  ++refused_;
  hide_progress();
  if (look_.json) {
    screen().print("{\"line\":" + std::to_string(line) + ",\"id\":" + as_json(id)
                   + R"(,"result":"refused","code":)" + as_json(error.code)
                   + ",\"message\":" + as_json(error.what) + "}\n");
    return;
  }
  screen().note((numbered_ ? "line " + std::to_string(line) + ": " : std::string())
                + "refused: " + printable(error.code) + ": " + printable(error.what)
                + (id.empty() ? "" : " (" + id + ")") + "\n");
}

void Put::show_progress(const Time& now) {
  if (!look_.progress || now.steady < next_drawing_) return;
  next_drawing_ = now.steady + kDrawing;
  const Progress progress{.done = done_,
                          .refused = refused_,
                          .fraction = lines_->fraction(),
                          .elapsed = now.steady - started_};
  screen().note("\r\x1b[K" + progress_line(progress, look_.width - 1));
  drawn_ = true;
}

void Put::hide_progress() {
  if (!drawn_) return;
  screen().note("\r\x1b[K");
  drawn_ = false;
}

void Put::end(const Time& now) {
  hide_progress();
  tell_done();
  const Duration elapsed = now.steady - started_;
  if (!look_.json && done_ + refused_ != 1) {
    screen().note(counted(done_, "event") + " accepted in " + human_duration(elapsed) + " ("
                  + std::to_string(rate_of(done_, elapsed)) + "/s), " + std::to_string(refused_)
                  + " refused\n");
  }
  finish(refused_ > 0 || broken_ ? ExitCode::Refused : ExitCode::Done);
}

}  // namespace conga::cli
