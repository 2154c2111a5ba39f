// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_lint.h"

#include "bus/rules/lint.h"
#include "cli/complain.h"
#include "cli/declarations.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>

namespace conga::cli {
namespace {

using bus::LintFinding;

std::string_view name_of(LintFinding::Level level) {
  return level == LintFinding::Level::Error ? "error" : "note";
}

std::string place_of(const LintFinding& finding) {
  return finding.file + (finding.line == 0 ? "" : ":" + std::to_string(finding.line));
}

void show(const LintFinding& finding, Screen& screen, const Look& look) {
  if (!look.json) {
    const bool error = finding.level == LintFinding::Level::Error;
    screen.print(printable(place_of(finding)) + ": "
                 + paint(look, error ? Colour::Red : Colour::Yellow, name_of(finding.level)) + " "
                 + std::string(finding.code) + ": " + printable(finding.what) + "\n    "
                 + printable(finding.remedy) + "\n");
    return;
  }
  std::string line;
  Packer packer(line);
  packer.map(6).key("level").string(name_of(finding.level)).key("code").string(finding.code);
  packer.key("file").string(finding.file).key("line").unsigned_integer(finding.line);
  packer.key("what").string(finding.what).key("remedy").string(finding.remedy);
  screen.print(to_json(Value::trusted(line)) + "\n");
}

}  // namespace

ExitCode lint_rules(const RulesOptions& options, Screen& screen, Look look) {
  const auto rules = bus::RuleSet::load(options.files);
  const auto declarations = load_declarations(options.manifests);
  if (!rules) return complain(screen, rules.error().what);
  if (!declarations) return complain(screen, declarations.error().what);
  const auto findings = bus::lint(*rules, *declarations);
  for (const LintFinding& finding : findings) show(finding, screen, look);
  const auto errors = static_cast<std::uint64_t>(
      std::ranges::count(findings, LintFinding::Level::Error, &LintFinding::level));
  if (!look.json) {
    screen.note(counted(errors, "error") + ", " + counted(findings.size() - errors, "note") + "\n");
  }
  const bool bad = errors > 0 || (options.strict && !findings.empty());
  return bad ? ExitCode::Refused : ExitCode::Done;
}

}  // namespace conga::cli
