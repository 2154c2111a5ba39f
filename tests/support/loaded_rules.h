// SPDX-License-Identifier: Apache-2.0
//
// LoadedRules: a RulesKeeper that gives what a function gives, and keeps no versions.

#pragma once

#include "bus/rules_keeper.h"

#include <functional>
#include <future>
#include <string>
#include <utility>

namespace conga::bus::testing {

class LoadedRules final : public RulesKeeper {
public:
  explicit LoadedRules(std::function<PendingRules()> load) : load_(std::move(load)) {}

  PendingRules load() override { return load_(); }

  /// The text is taken as it is.
  PendingRules change(RulesChange change) override {
    const RuleFile file{.name = "rules.yaml", .text = change.text};
    std::promise<Result<RuleSet>> ready;
    ready.set_value(RuleSet::parse({&file, 1}));
    return ready.get_future();
  }

  Result<std::string> versions(std::uint64_t /*version*/) override {
    return fail(Fault::Permanent, "no versions are kept", "NotKept");
  }

private:
  std::function<PendingRules()> load_;
};

}  // namespace conga::bus::testing
