// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/started_targets.h"

#include "common/io/small_files.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace conga::bus {
namespace {

/// `RULE/TARGET`, followed by ` UNTIL CAUGHT-UP` if it began in the past, followed by
/// ` SINCE CURSOR` while it catches up, SINCE in microseconds since 1970. Names hold neither slash
/// nor space.
std::string line_of(const TargetName& name, const Start& start) {
  std::string line = name.rule + "/" + name.target;
  if (start.until != 0) {
    line += " " + std::to_string(start.until) + " " + std::to_string(start.caught_up);
  }
  if (start.catches_up()) {
    line += " " + std::to_string(start.since.time_since_epoch().count()) + " " + start.cursor;
  }
  return line + "\n";
}

/// Takes what comes before `end` off the front; all of it if there is none.
std::string_view take(std::string_view& text, char end) {
  const auto at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

template <class Integer>
std::optional<Integer> integer(std::string_view text) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

/// False: the line is none of these.
bool read_line(std::string_view line, StartsByTarget& targets) {
  TargetName name;
  name.rule = take(line, '/');
  name.target = take(line, ' ');
  if (name.rule.empty() || name.target.empty()) return false;
  Start& start = targets[std::move(name)];
  if (line.empty()) return true;
  const auto until = integer<Sequence>(take(line, ' '));
  const auto caught_up = integer<Sequence>(take(line, ' '));
  if (!until || !caught_up || *until == 0) return false;
  start.until = *until;
  start.caught_up = *caught_up;
  if (!start.catches_up()) return line.empty();
  const auto since = integer<Duration::rep>(take(line, ' '));
  if (!since || line.empty()) return false;
  start.since = WallTime(Duration(*since));
  start.cursor = line;
  return true;
}

}  // namespace

StartedTargets::StartedTargets(Files& files, const std::string& directory)
    : files_(files), path_(directory + "/started-targets") {}

Result<std::unique_ptr<StartedTargets>> StartedTargets::open(Files& files,
                                                             const std::string& directory) {
  std::unique_ptr<StartedTargets> started(new StartedTargets(files, directory));
  const auto read = started->read();
  if (!read) return read.failure();
  return started;
}

Result<> StartedTargets::read() {
  const auto text = read_file(files_, path_);
  if (!text && text.error().code == "NotFound") return {};
  if (!text) return text.failure();
  std::string_view rest = *text;
  while (!rest.empty()) {
    const bool whole = rest.find('\n') != std::string_view::npos;
    if (whole && read_line(take(rest, '\n'), targets_)) continue;
    return fail(Fault::Corrupt,
                path_
                    + ": is not a list of RULE/TARGET lines: delete it. Targets with `start` in the "
                      "rules then begin again where that says",
                "Corrupt");
  }
  return {};
}

Result<> StartedTargets::save(StartsByTarget targets) {
  if (targets == targets_) return {};
  std::string text;
  for (const auto& [name, start] : targets) text += line_of(name, start);
  if (auto replaced = replace_file(files_, path_, text); !replaced) return replaced;
  targets_ = std::move(targets);
  return {};
}

}  // namespace conga::bus
