// SPDX-License-Identifier: Apache-2.0
//
// FileRules: the rules of a bus in a YAML file, with its earlier versions beside it.

#pragma once

#include "bus/rule_versions.h"
#include "bus/rules_keeper.h"
#include "common/io/files.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

namespace conga::bus {

Result<RuleSet> load_rules(const std::string& path);

class FileRules final : public RulesKeeper {
public:
  /// `files` must outlive it, and what it has begun.
  FileRules(Files& files, std::string path, std::size_t versions_kept);

  PendingRules load() override;
  PendingRules change(RulesChange change) override;
  Result<std::string> versions(std::uint64_t version) override;

private:
  /// Shared with the threads that read and write, one at a time.
  struct Shared {
    Shared(Files& files, const std::string& file, std::size_t kept)
        : path(file), versions(files, file, kept) {}

    std::string path;
    std::mutex mutex;
    RuleVersions versions;
  };

  static Result<RuleSet> carry_out(Shared& shared, RulesChange change);

  std::shared_ptr<Shared> shared_;
};

}  // namespace conga::bus
