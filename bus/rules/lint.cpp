// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/lint.h"

#include "bus/rules/causality.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace conga::bus {
namespace {

using Level = LintFinding::Level;

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

/// A declaration that was not read from a file has no lines.
std::size_t line_at(const std::vector<std::size_t>& lines, std::size_t at) {
  return at < lines.size() ? lines[at] : 0;
}

struct Words {
  std::string what;
  std::string remedy;
};

class Linter {
public:
  Linter(const RuleSet& rules, const std::vector<Declaration>& declarations)
      : rules_(rules), declarations_(declarations), arrows_(arrows_of(rules, declarations)) {}

  std::vector<LintFinding> run() {
    for (const RuleSet::Rule& rule : rules_.rules()) look_at(rule);
    for (const Declaration& service : declarations_) look_at(service);
    look_for_repeats();
    look_for_loops();
    look_for_compensations();
    std::ranges::stable_sort(findings_, {}, &LintFinding::level);
    return std::move(findings_);
  }

private:
  void look_at(const RuleSet::Rule& rule) {
    if (!rule.enabled) return;
    const auto drawn = [&rule](const Arrow& arrow) { return arrow.rule == rule.name; };
    if (std::ranges::none_of(arrows_, drawn)) {
      add(rule,
          Level::Error,
          "never-matches",
          {.what = "rule " + rule.name + " matches no event that a manifest declares",
           .remedy = "compare its source and detail-type with the manifests, or give the emitter's"
                     " manifest"});
    }
    look_at_targets(rule);
  }

  void look_at_targets(const RuleSet::Rule& rule) {
    std::set<std::pair<std::string, std::string>> told;
    for (const std::uint32_t position : rule.targets) {
      const std::string& service = rules_.targets()[position].service;
      const Declaration* const declared = find(service);
      if (declared == nullptr) {
        add(rule,
            Level::Note,
            "unknown-service",
            {.what =
                 "rule " + rule.name + " sends to " + service + ", of which there is no manifest",
             .remedy = "give its manifest too, or correct the service's name"});
        continue;
      }
      for (const Arrow& arrow : arrows_) {
        if (arrow.rule != rule.name || arrow.to != service) continue;
        if (holds(declared->consumes, arrow.detail_type)) continue;
        if (!told.emplace(service, arrow.detail_type).second) continue;
        add(rule,
            Level::Error,
            "not-consumed",
            {.what = "rule " + rule.name + " sends " + arrow.detail_type + " of " + arrow.from
                     + " to " + service + ", which does not consume it: it would be a dead letter",
             .remedy =
                 "leave that detail-type out of the pattern, or let " + service + " handle it"});
      }
    }
  }

  void look_at(const Declaration& service) {
    for (std::size_t at = 0; at < service.consumes.size(); ++at) {
      const std::string& type = service.consumes[at];
      const auto feeds = [&](const Arrow& arrow) {
        return arrow.to == service.service && arrow.detail_type == type;
      };
      if (std::ranges::any_of(arrows_, feeds)) continue;
      add(service,
          line_at(service.consumes_lines, at),
          Level::Error,
          "not-fed",
          {.what = service.service + " consumes " + type + ", and no rule sends it there",
           .remedy =
               "add it to a rule whose target is " + service.service + ", or delete its handler"});
    }
    for (std::size_t at = 0; at < service.emits.size(); ++at) {
      const std::string& type = service.emits[at];
      const auto carries = [&](const Arrow& arrow) {
        return arrow.from == service.service && arrow.detail_type == type;
      };
      if (std::ranges::any_of(arrows_, carries)) continue;
      add(service,
          line_at(service.emits_lines, at),
          Level::Note,
          "nobody-listens",
          {.what = service.service + " emits " + type + ", and no rule sends it anywhere",
           .remedy = "add a rule for it if somebody should hear of it"});
    }
  }

  /// Two rules that send the same event to the same service deliver it twice.
  void look_for_repeats() {
    std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> ways;
    for (const Arrow& arrow : arrows_) {
      auto& rules = ways[{arrow.from, arrow.detail_type, arrow.to}];
      if (!holds(rules, arrow.rule)) rules.push_back(arrow.rule);
    }
    std::set<std::pair<std::string, std::string>> told;
    for (const auto& [way, names] : ways) {
      for (std::size_t at = 1; at < names.size(); ++at) tell_repeat(way, names[0], names[at], told);
    }
  }

  void tell_repeat(const std::tuple<std::string, std::string, std::string>& way,
                   const std::string& first,
                   const std::string& second,
                   std::set<std::pair<std::string, std::string>>& told) {
    if (!told.emplace(first, second).second) return;
    const RuleSet::Rule& rule = *find_rule(second);
    const bool same = find_rule(first)->pattern == rule.pattern;
    const auto& [from, type, to] = way;
    const std::string both = "both send " + type + " of " + from + " to " + to;
    if (same) {
      add(rule,
          Level::Error,
          "equal-rules",
          {.what = "rule " + second + " has the pattern of rule " + first + ", and " + both,
           .remedy = "delete one of them"});
    } else {
      add(rule,
          Level::Note,
          "delivered-twice",
          {.what = "rule " + second + " may match what rule " + first + " does: " + both,
           .remedy = "if both may match one event, make their patterns exclude it"});
    }
  }

  /// Each loop once, told by the first of its events.
  void look_for_loops() {
    const Causality causality(declarations_, arrows_);
    const auto& happenings = causality.happenings();
    std::set<std::size_t> told;
    for (std::size_t at = 0; at < happenings.size(); ++at) {
      if (told.contains(at)) continue;
      const auto loop = causality.path(at, at, false);
      if (loop.empty()) continue;
      told.insert(loop.begin(), loop.end());
      add_of(happenings[at],
             "loop",
             {.what = "an event can cause itself: " + causality.tell(loop),
              .remedy = "leave one of these events out of its rule; or, if a service emits one of "
                        "them once in a flow, let its manifest say `once`"});
    }
  }

  /// What was done must be undone if what follows fails.
  void look_for_compensations() {
    const Causality causality(declarations_, arrows_);
    const auto& happenings = causality.happenings();
    for (std::size_t done = 0; done < happenings.size(); ++done) {
      const std::string undone_by = happenings[done].emission().undone_by;
      if (undone_by.empty()) continue;
      for (std::size_t failure = 0; failure < happenings.size(); ++failure) {
        if (!happenings[failure].emission().failure) continue;
        const auto chain = causality.path(done, failure, true);
        if (chain.empty() || leads_to(causality, failure, undone_by)) continue;
        add_of(happenings[done],
               "not-undone",
               {.what = happenings[done].type() + " is to be undone by " + undone_by
                        + ", and nothing leads to that from " + happenings[failure].type() + ": "
                        + causality.tell(chain),
                .remedy = "let a rule send " + happenings[failure].type() + " to "
                          + emitter_of(undone_by)});
      }
    }
  }

  static bool leads_to(const Causality& causality, std::size_t from, const std::string& type) {
    const auto& happenings = causality.happenings();
    for (std::size_t to = 0; to < happenings.size(); ++to) {
      if (happenings[to].type() == type && !causality.path(from, to, true).empty()) return true;
    }
    return false;
  }

  std::string emitter_of(const std::string& type) const {
    const auto emits = [&type](const Declaration& each) { return holds(each.emits, type); };
    const auto found = std::ranges::find_if(declarations_, emits);
    return found == declarations_.end() ? "a service that emits " + type : found->service;
  }

  void add_of(const Causality::Happening& happening, std::string_view code, Words words) {
    add(*happening.service,
        line_at(happening.service->emits_lines, happening.at),
        Level::Error,
        code,
        std::move(words));
  }

  void add(const RuleSet::Rule& rule, Level level, std::string_view code, Words words) {
    findings_.push_back(
        {level, code, rule.file, rule.line, std::move(words.what), std::move(words.remedy)});
  }

  void add(const Declaration& service,
           std::size_t line,
           Level level,
           std::string_view code,
           Words words) {
    findings_.push_back(
        {level, code, service.file, line, std::move(words.what), std::move(words.remedy)});
  }

  const Declaration* find(const std::string& service) const {
    const auto found = std::ranges::find(declarations_, service, &Declaration::service);
    return found == declarations_.end() ? nullptr : &*found;
  }

  const RuleSet::Rule* find_rule(const std::string& name) const {
    return &*std::ranges::find(rules_.rules(), name, &RuleSet::Rule::name);
  }

  const RuleSet& rules_;
  const std::vector<Declaration>& declarations_;
  std::vector<Arrow> arrows_;
  std::vector<LintFinding> findings_;
};

}  // namespace

std::vector<LintFinding> lint(const RuleSet& rules, const std::vector<Declaration>& declarations) {
  return Linter(rules, declarations).run();
}

}  // namespace conga::bus
