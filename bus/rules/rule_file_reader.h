// SPDX-License-Identifier: Apache-2.0
//
// RuleFileReader: turns rule files into the parts of a RuleSet and collects every fault on the way.

#pragma once

#include "bus/rules/rule_set.h"
#include "common/config/config_reader.h"
#include "common/config/document.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class RuleFileReader {
public:
  void read(const RuleFile& file);

  /// The rules of all files read, or all their faults.
  Result<RuleSet> finish();

private:
  void rule(const Document& document, ConfigFaults& faults);
  void expectation(const Document& document, ConfigFaults& faults);
  void archive(const Document& document, ConfigFaults& faults);
  void name(const Document& document,
            std::string_view kind,
            const std::string& name,
            ConfigFaults& faults);
  std::optional<Pattern> pattern(const Document& document,
                                 const std::string& what,
                                 ConfigFaults& faults);
  void add_pattern(Pattern pattern, RuleSet::Meaning::Kind kind, std::size_t position);
  void watch(const Document& document,
             const std::string& what,
             bool begins,
             std::string& text,
             ConfigFaults& faults);
  void target(const Document& document,
              const std::string& path,
              RuleSet::Rule& rule,
              ConfigFaults& faults);
  void add_topic(const std::string& topic, RuleSet::Rule& rule);

  RuleSet rules_;
  std::vector<Pattern> patterns_;             ///< Of enabled rules, expectations, archives.
  std::map<std::string, std::string> named_;  ///< `rule NAME` to where it is.
  std::string faults_;                        ///< Of the files read so far, one per line.
};

}  // namespace conga::bus
