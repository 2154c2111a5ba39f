// SPDX-License-Identifier: Apache-2.0
//
// PausedTargets: which targets are paused, kept over restarts in a small file of one line
// `RULE/TARGET` each. It is replaced as a whole, so a crash leaves the old one or the new one.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/result.h"
#include "common/io/files.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace conga::bus {

class PausedTargets {
public:
  /// Reads `DIRECTORY/paused-targets`, if there is one. Corrupt if it holds anything else. `files`
  /// must outlive it.
  static Result<std::unique_ptr<PausedTargets>> open(Files& files, const std::string& directory);

  const std::set<TargetName>& names() const { return names_; }

  /// Adds or removes `names`, durably. Failed: nothing has changed.
  Result<> set(const std::vector<TargetName>& names, bool paused);

private:
  PausedTargets(Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Result<> read(const std::string& path);
  Result<> save(const std::set<TargetName>& names);

  Files& files_;
  std::string directory_;
  std::set<TargetName> names_;
};

}  // namespace conga::bus
