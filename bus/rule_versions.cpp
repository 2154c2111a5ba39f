// SPDX-License-Identifier: Apache-2.0

#include "bus/rule_versions.h"

#include "common/io/small_files.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"
#include "common/wire/event/value.h"

#include <algorithm>

namespace conga::bus {
namespace {

std::string line_of(const RuleVersion& version) {
  std::string packed;
  Packer packer(packed);
  packer.map(4).key("version").unsigned_integer(version.number);
  packer.key("time").string(format_rfc3339(version.at));
  packer.key("by").string(version.by).key("note").string(version.note);
  return to_json(Value::trusted(packed)) + "\n";
}

std::string member(const Value& map, std::string_view key) {
  const auto value = map.find(key);
  const auto text = value ? value->string() : std::nullopt;
  return std::string(text.value_or(""));
}

Result<RuleVersion> read_line(std::string_view line) {
  const auto packed = json_to_msgpack(line);
  if (!packed) return packed.failure();
  const Value map = Value::trusted(*packed);
  const auto value = map.find("version");
  const auto number = value ? value->uint64() : std::nullopt;
  const auto at = parse_rfc3339(member(map, "time"));
  if (!number || !at) return fail(Fault::Corrupt, "not {version, time, by, note}");
  return RuleVersion{
      .number = *number, .at = *at, .by = member(map, "by"), .note = member(map, "note")};
}

}  // namespace

std::string RuleVersions::file_of(std::uint64_t number) const {
  std::string digits = std::to_string(number);
  constexpr std::size_t kDigits = 6;
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return directory() + "/" + digits + ".yaml";
}

Result<std::vector<RuleVersion>> RuleVersions::list() {
  const std::string index = directory() + "/index.jsonl";
  const auto text = read_file(files_, index);
  if (!text && text.error().code == "NotFound") return std::vector<RuleVersion>();
  if (!text) return text.failure();
  std::vector<RuleVersion> versions;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    auto version = read_line(rest.substr(0, end));
    if (!version) {
      return fail(Fault::Corrupt,
                  index + ":" + std::to_string(versions.size() + 1) + ": " + version.error().what
                      + ": mend it, or move the folder away",
                  "Corrupt");
    }
    versions.push_back(std::move(*version));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return versions;
}

Result<std::string> RuleVersions::text_of(std::uint64_t number) {
  auto text = read_file(files_, file_of(number));
  if (text || text.error().code != "NotFound") return text;
  return fail(Fault::Permanent,
              "there is no version " + std::to_string(number)
                  + " of the rules: conga rules versions lists them",
              "NotFound");
}

Result<std::optional<std::uint64_t>> RuleVersions::current() {
  const auto now = read_file(files_, path_);
  if (!now) return now.failure();
  const auto versions = list();
  if (!versions) return versions.failure();
  if (versions->empty()) return std::optional<std::uint64_t>();
  const auto latest = text_of(versions->back().number);
  if (!latest) return latest.failure();
  if (*latest != *now) return std::optional<std::uint64_t>();
  return std::optional(versions->back().number);
}

Result<RuleVersion> RuleVersions::apply(std::string_view text,
                                        std::string_view by,
                                        std::string_view note,
                                        WallTime now) {
  if (auto made = files_.make_directory(directory()); !made) return made.failure();
  const auto known = current();
  if (!known) return known.failure();
  if (!*known) {
    const auto old = read_file(files_, path_);
    if (!old) return old.failure();
    RuleVersion found{.number = 0, .at = now, .by = {}, .note = "found in the file"};
    if (auto added = add(std::move(found), *old); !added) return added.failure();
  }
  // The version first: a crash before the rules are in force leaves one that never was, and what
  // the file holds is then found anew.
  RuleVersion version{.number = 0, .at = now, .by = std::string(by), .note = std::string(note)};
  if (auto added = add(version, text); !added) return added.failure();
  if (auto replaced = replace_file(files_, path_, text); !replaced) return replaced.failure();
  auto versions = list();
  if (!versions) return versions.failure();
  return std::move(versions->back());
}

Result<> RuleVersions::add(RuleVersion version, std::string_view text) {
  auto versions = list();
  if (!versions) return versions.failure();
  version.number = versions->empty() ? 1 : versions->back().number + 1;
  if (auto kept = replace_file(files_, file_of(version.number), text); !kept) return kept;
  versions->push_back(std::move(version));
  std::vector<std::uint64_t> gone;
  while (versions->size() > kept_) {
    gone.push_back(versions->front().number);
    versions->erase(versions->begin());
  }
  if (auto saved = save_index(*versions); !saved) return saved;
  for (const std::uint64_t number : gone) {
    // It is in no list any more; that it stays does no harm.
    static_cast<void>(files_.remove(file_of(number)));
  }
  return {};
}

Result<> RuleVersions::save_index(const std::vector<RuleVersion>& versions) {
  std::string text;
  for (const RuleVersion& version : versions) text += line_of(version);
  return replace_file(files_, directory() + "/index.jsonl", text);
}

}  // namespace conga::bus
