// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_offline.h"

#include "bus/rules/pattern_case.h"
#include "bus/rules/rule_set.h"
#include "cli/commands/rules_diff.h"
#include "cli/commands/rules_flow.h"
#include "cli/commands/rules_lint.h"
#include "cli/commands/rules_stats.h"
#include "cli/event_filter.h"
#include "cli/text.h"
#include "common/io/posix_files.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <optional>

namespace conga::cli {
namespace {

/// A case holds two JSON texts, perhaps escaped, so more than an event's limits.
constexpr ValueLimits kCaseLimits{.max_size = std::size_t{16} << 20U, .max_depth = 256};

/// A JSON value, or the text that a string holds.
std::optional<std::string> json_member(const Value& map, std::string_view key) {
  const auto member = map.find(key);
  if (!member) return std::nullopt;
  const auto text = member->string();
  return text ? std::string(*text) : to_json(*member);
}

/// One sentence a line, or each as `{"fault": …}`.
void show(Screen& screen, const Look& look, std::string_view kind, std::string_view sentence) {
  if (!look.json) {
    screen.print(printable(sentence) + "\n");
    return;
  }
  std::string line;
  Packer(line).map(1).key(kind).string(sentence);
  screen.print(to_json(Value::trusted(line)) + "\n");
}

void show_faults(Screen& screen, const Look& look, std::string_view faults) {
  while (!faults.empty()) {
    const std::size_t end = faults.find('\n');
    show(screen, look, "fault", faults.substr(0, end));
    faults.remove_prefix(end == std::string_view::npos ? faults.size() : end + 1);
  }
}

}  // namespace

ExitCode check_files(const RulesOptions& options, Screen& screen, Look look) {
  const auto rules = bus::RuleSet::load(options.files);
  if (!rules) {
    show_faults(screen, look, rules.error().what);
    return ExitCode::Refused;
  }
  if (options.aws) {
    for (const std::string& warning : rules->aws_warnings()) show(screen, look, "warning", warning);
  }
  if (look.json) return ExitCode::Done;
  std::string counts = counted(rules->rules().size(), "rule");
  if (const std::size_t expectations = rules->expectations().size(); expectations > 0) {
    counts += ", " + counted(expectations, "expectation");
  }
  if (const std::size_t archives = rules->archives().size(); archives > 0) {
    counts += ", " + counted(archives, "archive");
  }
  screen.note(counts + ", no fault\n");
  return ExitCode::Done;
}

std::string judge_case(std::string_view line, bool explain) {
  const auto bytes = json_to_msgpack(line, kCaseLimits);
  if (!bytes) return "invalid: the case: " + bytes.error().what;
  const Value one = Value::trusted(*bytes);
  const auto pattern = json_member(one, "pattern");
  const auto event = json_member(one, "event");
  if (!pattern || !event) {
    return R"(invalid: a case is a JSON object with "pattern" and "event")";
  }
  return explain ? bus::explain_case(*pattern, *event) : bus::test_case(*pattern, *event);
}

ExitCode test_cases(LineSource& lines, Screen& screen, bool explain) {
  std::string line;
  while (true) {
    switch (lines.next(line)) {
      case LineSource::Next::Line:
        if (line.find_first_not_of(" \t") == std::string::npos) break;
        screen.print(printable(judge_case(line, explain)) + "\n");
        break;
      case LineSource::Next::Later:
        screen.flush();
        lines.wait();
        break;
      case LineSource::Next::End:
        screen.flush();
        return ExitCode::Done;
      case LineSource::Next::Broken:
        screen.note("conga: --cases: " + line + "\n");
        return ExitCode::Usage;
    }
  }
}

ExitCode test_one(
    const std::string& pattern, const std::string& event, Screen& screen, Look look, bool explain) {
  const auto pattern_text = text_or_file(pattern, "--pattern");
  const auto event_text = text_or_file(event, "--event");
  if (!pattern_text || !event_text) {
    screen.note("conga: " + (pattern_text ? event_text : pattern_text).error().what + "\n");
    return ExitCode::Usage;
  }
  const std::string verdict = bus::explain_case(*pattern_text, *event_text);
  if (verdict.starts_with("invalid")) {
    screen.note("conga: " + printable_lines(verdict) + "\n");
    return ExitCode::Usage;
  }
  constexpr std::string_view kWhy = "false: ";
  const bool matches = verdict == "true";
  const std::string why = matches ? "" : verdict.substr(kWhy.size());
  if (look.json) {
    std::string line;
    Packer packer(line);
    packer.map(explain && !matches ? 2 : 1).key("matches").boolean(matches);
    if (explain && !matches) packer.key("why").string(why);
    screen.print(to_json(Value::trusted(line)) + "\n");
  } else {
    screen.print(matches ? "true\n" : "false\n");
    if (explain && !matches) screen.print(printable_lines(why) + "\n");
  }
  return matches ? ExitCode::Done : ExitCode::Refused;
}

ExitCode run_offline(const RulesOptions& options, Screen& screen, Look look) {
  if (options.action == RulesOptions::Action::Check) return check_files(options, screen, look);
  if (options.action == RulesOptions::Action::Diff) {
    PosixFiles files;
    return diff_rules(files, options, SystemClock().now().wall, screen, look);
  }
  if (options.action == RulesOptions::Action::Stats) {
    PosixFiles files;
    return show_stats(files, options, SystemClock().now().wall, screen, look);
  }
  if (options.action == RulesOptions::Action::Lint) return lint_rules(options, screen, look);
  if (options.action == RulesOptions::Action::Flow) return show_flow(options, screen, look);
  if (options.cases.empty()) {
    return test_one(options.pattern, options.event, screen, look, options.explain);
  }
  const auto lines = open_lines(options.cases);
  if (lines) return test_cases(**lines, screen, options.explain);
  screen.note("conga: --cases: " + lines.error().what + "\n");
  return ExitCode::Usage;
}

}  // namespace conga::cli
