// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/replay.h"

#include "cli/line_source.h"
#include "common/io/small_files.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace conga::cli {
namespace {

std::string state_text(const ReplayOptions& options, bus::Sequence done) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(11);
  packer.key("name").string(options.name);
  packer.key("done").unsigned_integer(done);
  packer.key("journal").string(options.choice.journal);
  packer.key("since").string(options.choice.since);
  packer.key("until").string(options.choice.until);
  packer.key("pattern").string(options.choice.pattern);
  packer.key("rules").strings(options.to.rules);
  packer.key("targets").strings(options.to.targets);
  packer.key("speed").string(options.speed);
  packer.key("rate").number(options.rate);
  packer.key("patience").string(format_duration(options.patience));
  return to_pretty_json(Value::trusted(bytes)) + "\n";
}

std::string text_at(const Value& map, std::string_view key) {
  return std::string(map.find(key).value_or(Value()).string().value_or(""));
}

std::vector<std::string> names_at(const Value& map, std::string_view key) {
  std::vector<std::string> names;
  const Value list = map.find(key).value_or(Value());
  for (const Value name : list.elements()) names.emplace_back(name.string().value_or(""));
  return names;
}

/// Nothing less than what state_text() wrote: half of it would be another replay.
Result<ReplayOptions> read_state(const std::string& path, std::string_view text) {
  const auto bytes = json_to_msgpack(text);
  const Value map = bytes ? Value::trusted(*bytes) : Value();
  const auto done = map.find("done").value_or(Value()).uint64();
  const auto rate = map.find("rate").value_or(Value()).number();
  const auto patience = parse_duration(text_at(map, "patience"));
  ReplayOptions options;
  options.name = text_at(map, "name");
  options.choice.journal = text_at(map, "journal");
  if (!done || !rate || !patience || options.name.empty() || options.choice.journal.empty()) {
    return fail(Fault::Permanent,
                path + ": is not what a replay left behind; begin it again with its --name");
  }
  options.choice.after = *done;
  options.choice.since = text_at(map, "since");
  options.choice.until = text_at(map, "until");
  options.choice.pattern = text_at(map, "pattern");
  options.to = {.rules = names_at(map, "rules"), .targets = names_at(map, "targets")};
  options.speed = text_at(map, "speed");
  options.rate = *rate;
  options.patience = *patience;
  options.state = path;
  return options;
}

std::string from_the_root(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

/// What `variable` holds and `under` it; empty if it holds nothing.
std::string under(const char* variable, std::string_view folder) {
  const char* const held = std::getenv(variable);
  if (held == nullptr || *held == '\0') return "";
  return held + std::string(folder);
}

Result<std::string> state_path(const std::string& given, const std::string& name) {
  if (!given.empty()) return from_the_root(given);
  if (name.find('/') != std::string::npos) {
    return fail(Fault::Permanent, "a replay's name that has a / in it needs --state FILE");
  }
  std::string folder = under("XDG_STATE_HOME", "/conga");
  if (folder.empty()) folder = under("HOME", "/.local/state/conga");
  if (folder.empty()) {
    return fail(Fault::Permanent,
                "neither XDG_STATE_HOME nor HOME is set: say with --state FILE where to keep how "
                "far the replay got");
  }
  return folder + "/replay-" + name + ".json";
}

Result<ReplayOptions> resumed(Files& files, const ReplayOptions& options) {
  const auto path = state_path(options.state, options.resume);
  if (!path) return path.failure();
  const auto text = read_file(files, *path);
  if (!text && text.error().code == "NotFound") {
    return fail(Fault::Permanent,
                "no replay '" + options.resume + "' was interrupted: there is no " + *path);
  }
  if (!text) return text.failure();
  auto found = read_state(*path, *text);
  if (found && found->name != options.resume) {
    return fail(Fault::Permanent, *path + ": is of the replay '" + found->name + "'");
  }
  return found;
}

std::string lock_of(const ReplayOptions& options) {
  return options.state + ".lock";
}

class StateFile final : public Bookmark {
public:
  StateFile(Files& files, ReplayOptions options, std::unique_ptr<FileLock> lock)
      : files_(files), options_(std::move(options)), lock_(std::move(lock)) {}

  Result<> keep(bus::Sequence done) override {
    return replace_file(files_, options_.state, state_text(options_, done));
  }

  Result<> finish() override {
    if (auto removed = files_.remove(options_.state); !removed) return removed;
    return files_.remove(lock_of(options_));
  }

private:
  Files& files_;
  ReplayOptions options_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace

Result<ReplayPace> parse_speed(std::string_view text) {
  if (text.empty() || text == "max") return ReplayPace{};
  double speed = 0;
  const bool times = text.ends_with('x');
  const char* const end = text.data() + text.size() - (times ? 1 : 0);
  const auto read = std::from_chars(text.data(), end, speed);
  if (!times || read.ec != std::errc() || read.ptr != end || !std::isfinite(speed)
      || speed < 0.001) {
    return fail(Fault::Permanent,
                "'" + std::string(text) + "' is no speed: write 10x, 0.5x, or max");
  }
  return ReplayPace{.speed = speed};
}

std::string replay_name(WallTime now) {
  std::string name = "replay-" + format_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
  std::ranges::replace(name, ':', '-');
  return name;
}

Result<ReplayOptions> settled(Files& files, const ReplayOptions& options, WallTime now) {
  if (!options.resume.empty()) return resumed(files, options);
  ReplayOptions settled = options;
  if (settled.name.empty()) settled.name = replay_name(now);
  auto path = state_path(options.state, settled.name);
  if (!path) return path.failure();
  settled.state = std::move(*path);
  ArchiveChoice& choice = settled.choice;
  choice.journal = from_the_root(directory_of(choice));
  choice.archive.clear();
  // What makes no sense stays as it is: the archive says why.
  if (const auto since = parse_when(choice.since, now)) choice.since = format_rfc3339(*since);
  if (choice.until.empty()) choice.until = format_rfc3339(now);
  if (const auto until = parse_when(choice.until, now)) choice.until = format_rfc3339(*until);
  if (choice.pattern.starts_with('@')) {
    if (auto pattern = read_text(choice.pattern.substr(1))) choice.pattern = std::move(*pattern);
  }
  return settled;
}

Result<std::unique_ptr<Bookmark>> open_bookmark(Files& files, const ReplayOptions& options) {
  const std::string folder = std::filesystem::path(options.state).parent_path().string();
  if (auto made = files.make_directory(folder); !made) return made.failure();
  auto lock = files.lock(lock_of(options));
  if (!lock && lock.error().code == "Locked") {
    return fail(Fault::Permanent,
                "the replay '" + options.name + "' is under way already: " + lock.error().what
                    + "; wait for it, or give this one another --name");
  }
  if (!lock) return lock.failure();
  return std::unique_ptr<Bookmark>(std::make_unique<StateFile>(files, options, std::move(*lock)));
}

PutOptions put_options_of(const ReplayOptions& options) {
  PutOptions put;
  put.input = "the archive";  // more than one event: each fault says of which
  put.rate = options.rate;
  put.patience = options.patience;
  put.quiet = true;
  put.rules = options.to.rules;
  put.targets = options.to.targets;
  return put;
}

}  // namespace conga::cli
