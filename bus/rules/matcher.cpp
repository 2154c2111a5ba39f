// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/matcher.h"

#include "bus/rules/evaluator.h"

namespace conga::bus {

struct Matcher::Tables {
  std::vector<Pattern> patterns;
};

struct Matcher::Scratch::State {};

Matcher::Scratch::Scratch() = default;
Matcher::Scratch::Scratch(Scratch&&) noexcept = default;
Matcher::Scratch& Matcher::Scratch::operator=(Scratch&&) noexcept = default;
Matcher::Scratch::~Scratch() = default;

Matcher::Matcher(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}

Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Matcher Matcher::compile(std::span<const Pattern> patterns) {
  auto tables = std::make_unique<Tables>();
  tables->patterns.assign(patterns.begin(), patterns.end());
  return Matcher(std::move(tables));
}

void Matcher::match(const Value& event,
                    Scratch& /*scratch*/,
                    std::vector<RuleIndex>& matches) const {
  matches.clear();
  for (RuleIndex index = 0; index < tables_->patterns.size(); ++index) {
    if (evaluate(tables_->patterns[index], event)) matches.push_back(index);
  }
}

}  // namespace conga::bus
