// SPDX-License-Identifier: Apache-2.0
//
// RuleVersions: what the rules file was, and who changed it: every text that `rules.apply` put in
// its place, and those that were there before, in a folder beside it (`RULES.yaml.versions/`). A
// change is carried out so that a crash leaves the old rules or the new ones, and never loses a
// version.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/io/files.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::bus {

struct RuleVersion {
  std::uint64_t number = 0;  ///< From 1.
  WallTime at;               ///< When it came into force, or was found.
  std::string by;            ///< Who, by their own word; empty: edited by hand.
  std::string note;          ///< `rollback to 3`, for instance.
};

class RuleVersions {
public:
  /// Of the rules file at `path`; the last `kept` versions are kept. `files` must outlive it.
  RuleVersions(Files& files, std::string path, std::size_t kept)
      : files_(files), path_(std::move(path)), kept_(kept) {}

  /// Makes `text`, which was checked, the rules file. What the file holds now becomes a version
  /// first if it is none.
  Result<RuleVersion> apply(std::string_view text,
                            std::string_view by,
                            std::string_view note,
                            WallTime now);

  /// Oldest first.
  Result<std::vector<RuleVersion>> list();

  /// The latest version whose text is what the file holds; nothing: it was edited since.
  Result<std::optional<std::uint64_t>> current();

  /// Code `NotFound`: there is no such version (any more).
  Result<std::string> text_of(std::uint64_t number);

private:
  std::string directory() const { return path_ + ".versions"; }

  std::string file_of(std::uint64_t number) const;
  Result<> add(RuleVersion version, std::string_view text);
  Result<> save_index(const std::vector<RuleVersion>& versions);

  Files& files_;
  std::string path_;
  std::size_t kept_;
};

}  // namespace conga::bus
