// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/paused_targets.h"

#include "common/io/small_files.h"

#include <optional>
#include <string_view>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::string_view kName = "paused-targets";

std::string text_of(const std::set<TargetName>& names) {
  std::string text;
  for (const TargetName& name : names) text += name.rule + "/" + name.target + "\n";
  return text;
}

/// Nothing: the line is no RULE/TARGET. Names of rules and targets hold no slash.
std::optional<TargetName> name_in(std::string_view line) {
  const auto slash = line.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == line.size()) {
    return std::nullopt;
  }
  return TargetName{.rule = std::string(line.substr(0, slash)),
                    .target = std::string(line.substr(slash + 1))};
}

}  // namespace

Result<std::unique_ptr<PausedTargets>> PausedTargets::open(Files& files,
                                                           const std::string& directory) {
  std::unique_ptr<PausedTargets> paused(new PausedTargets(files, directory));
  const auto read = paused->read(directory + "/" + std::string(kName));
  if (!read) return read.failure();
  return paused;
}

Result<> PausedTargets::read(const std::string& path) {
  const auto text = read_file(files_, path);
  if (!text && text.error().code == "NotFound") return {};
  if (!text) return text.failure();
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    auto name = end == std::string_view::npos ? std::nullopt : name_in(rest.substr(0, end));
    if (!name) {
      return fail(Fault::Corrupt,
                  path + ": is not a list of RULE/TARGET lines: delete it, and pause again what "
                         "must be paused",
                  "Corrupt");
    }
    names_.insert(std::move(*name));
    rest.remove_prefix(end + 1);
  }
  return {};
}

Result<> PausedTargets::set(const std::vector<TargetName>& names, bool paused) {
  std::set<TargetName> changed = names_;
  for (const TargetName& name : names) {
    if (paused) {
      changed.insert(name);
    } else {
      changed.erase(name);
    }
  }
  if (changed == names_) return {};
  const auto saved = save(changed);
  if (!saved) return saved.failure();
  names_ = std::move(changed);
  return {};
}

Result<> PausedTargets::save(const std::set<TargetName>& names) {
  return replace_file(files_, directory_ + "/" + std::string(kName), text_of(names));
}

}  // namespace conga::bus
