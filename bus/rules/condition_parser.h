// SPDX-License-Identifier: Apache-2.0
//
// ConditionParser: reads the lists of conditions of a pattern, and says of every one that is not
// valid where it stands and what was expected.

#pragma once

#include "bus/rules/condition.h"
#include "bus/rules/pattern.h"
#include "common/config/document.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class ConditionParser {
public:
  /// `faults` must outlive the parser.
  explicit ConditionParser(std::vector<PatternFault>& faults) : faults_(faults) {}

  /// One of the words that a condition object's key may be.
  static bool is_operator(std::string_view word);

  /// The valid conditions of `list`; the others become faults.
  std::vector<Condition> list(const Document& list, const std::string& path);

private:
  using Found = std::optional<Condition>;
  using Reader = Found (ConditionParser::*)(const Document&, const std::string&);

  struct Operator {
    std::string_view word;
    Reader read;
  };

  static const std::vector<Operator>& operators();

  Found condition(const Document& node, const std::string& path);
  Found object(const Document& node, const std::string& path);
  Found exactly(const Document& node, const std::string& path);
  Found prefix(const Document& node, const std::string& path);
  Found suffix(const Document& node, const std::string& path);
  Found ignore_case(const Document& node, const std::string& path);
  Found wildcard(const Document& node, const std::string& path);
  Found numeric(const Document& node, const std::string& path);
  Found one_bound(const Document& node, const std::string& path);
  Found two_bounds(const Document& node, const std::string& path);
  Found cidr(const Document& node, const std::string& path);
  Found exists(const Document& node, const std::string& path);
  Found anything_but(const Document& node, const std::string& path);
  Found anything_but_list(const Document& list, const std::string& path);
  Found anything_but_operator(const Document& node, const std::string& path);
  Found affix_ignoring_case(const Document& node, const std::string& path, IgnoreCase::Part part);

  bool is_text(const Document& node, const std::string& path);
  bool is_finite_number(const Document& node, const std::string& path);
  Found fault(const Document& where, const std::string& path, std::string why);

  std::vector<PatternFault>& faults_;
};

}  // namespace conga::bus
