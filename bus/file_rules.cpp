// SPDX-License-Identifier: Apache-2.0

#include "bus/file_rules.h"

#include "common/wire/event/packer.h"

#include <future>
#include <utility>

namespace conga::bus {

Result<RuleSet> load_rules(const std::string& path) {
  return RuleSet::load({&path, 1});
}

FileRules::FileRules(Files& files, std::string path, std::size_t versions_kept)
    : shared_(std::make_shared<Shared>(files, std::move(path), versions_kept)) {}

/// On a thread of its own, for thousands of rules take long to read and events do not wait for
/// them; where no thread can be had, when the result is asked for.
PendingRules FileRules::load() {
  return std::async(std::launch::async | std::launch::deferred,
                    [shared = shared_] { return load_rules(shared->path); });
}

PendingRules FileRules::change(RulesChange change) {
  return std::async(std::launch::async | std::launch::deferred,
                    [shared = shared_, wanted = std::move(change)]() mutable {
                      return carry_out(*shared, std::move(wanted));
                    });
}

Result<RuleSet> FileRules::carry_out(Shared& shared, RulesChange change) {
  const std::lock_guard lock(shared.mutex);
  std::string note;
  if (change.version != 0) {
    auto old = shared.versions.text_of(change.version);
    if (!old) return old.failure();
    change.text = std::move(*old);
    note = "rollback to " + std::to_string(change.version);
  }
  const RuleFile file{.name = shared.path, .text = change.text};
  auto rules = RuleSet::parse({&file, 1});
  if (!rules) return rules;
  if (change.dry_run) {
    return fail(Fault::Permanent, "the rules are right; nothing was changed", "DryRun");
  }
  const auto applied = shared.versions.apply(change.text, change.by, note, change.at);
  if (!applied) return applied.failure();
  return rules;
}

Result<std::string> FileRules::versions(std::uint64_t version) {
  const std::lock_guard lock(shared_->mutex);
  const auto list = shared_->versions.list();
  if (!list) return list.failure();
  const auto current = shared_->versions.current();
  if (!current) return current.failure();
  const auto text =
      version == 0 ? Result<std::string>(std::string()) : shared_->versions.text_of(version);
  if (!text) return text.failure();
  std::string answer;
  Packer packer(answer);
  packer.map(version == 0 ? 2 : 3).key("current");
  *current ? packer.unsigned_integer(**current) : packer.null();
  packer.key("versions").array(list->size());
  for (const RuleVersion& each : *list) {
    packer.map(4).key("version").unsigned_integer(each.number);
    packer.key("time").string(format_rfc3339(each.at)).key("by").string(each.by);
    packer.key("note").string(each.note);
  }
  if (version != 0) packer.key("text").string(*text);
  return answer;
}

}  // namespace conga::bus
