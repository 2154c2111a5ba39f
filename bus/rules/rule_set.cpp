// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/rule_set.h"

#include "bus/rules/rule_file_reader.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::bus {
namespace {

void append_retry(Packer& packer, const RetryPolicy& retry) {
  packer.key("retry").map(3);
  packer.key("max-attempts").unsigned_integer(retry.max_attempts);
  packer.key("max-age").string(format_duration(retry.max_age));
  packer.key("backoff").map(4);
  packer.key("initial").string(format_duration(retry.backoff_initial));
  packer.key("factor").number(retry.backoff_factor);
  packer.key("max").string(format_duration(retry.backoff_max));
  packer.key("jitter").string(retry.jitter == RetryPolicy::Jitter::Full ? "full" : "none");
}

void append_target(Packer& packer, const LinkTarget& target) {
  const std::array<std::pair<std::string_view, std::uint32_t>, 3> limits{
      {{"max-in-flight", target.limits.max_in_flight},
       {"rate-limit", target.limits.rate},
       {"batch-size", target.limits.batch}}};
  const auto given = std::ranges::count_if(limits, [](const auto& one) { return one.second > 0; });
  const std::size_t texts = (target.ordering.empty() ? 0U : 1U) + (target.start ? 1U : 0U);
  packer.map(5U + texts + static_cast<std::size_t>(given));
  packer.key("service").string(target.service);
  packer.key("name").string(target.target);
  packer.key("deliver").string("at-least-once");
  append_retry(packer, target.retry);
  packer.key("ack-timeout").string(format_duration(target.retry.ack_timeout));
  if (!target.ordering.empty()) packer.key("ordering").string(target.ordering);
  if (target.start) {
    const bool horizon = *target.start == kHorizon;
    packer.key("start").string(horizon ? "horizon" : format_rfc3339(*target.start));
  }
  for (const auto& limit : limits) {
    if (limit.second > 0) packer.key(limit.first).unsigned_integer(limit.second);
  }
}

bool lists(const Value& names, std::string_view name) {
  for (const Value each : names.elements()) {
    if (each.string() == name) return true;
  }
  return false;
}

}  // namespace

RuleSet::RuleSet() : matcher_(Matcher::compile({})) {}

Result<RuleSet> RuleSet::parse(std::span<const RuleFile> files) {
  RuleFileReader reader;
  for (const RuleFile& file : files) reader.read(file);
  return reader.finish();
}

Result<RuleSet> RuleSet::load(std::span<const std::string> paths) {
  std::vector<RuleFile> files;
  for (const std::string& path : paths) {
    auto text = read_text_file(path);
    if (!text) return text.failure();
    files.push_back({.name = path, .text = std::move(*text)});
  }
  return parse(files);
}

void RuleSet::match(const EventView& event, Routing& routing) const {
  matcher_.match(event.map, routing.scratch, routing.matches);
  routing.rules.clear();
  routing.targets.clear();
  routing.topics.clear();
  routing.expectations.clear();
  routing.archives.clear();
  const bool replayed = !event.replay_name.empty();
  for (const Matcher::RuleIndex match : routing.matches) {
    const auto [kind, position] = meanings_[match];
    if (kind != Meaning::Kind::Rule) {
      auto& places = kind == Meaning::Kind::Archive ? routing.archives : routing.expectations;
      if (!replayed) places.push_back(position);
      continue;
    }
    const Rule& rule = rules_[position];
    if (replayed) {
      match_replayed(event, position, routing);
      continue;
    }
    routing.rules.push_back(position);
    routing.targets.insert(routing.targets.end(), rule.targets.begin(), rule.targets.end());
    add_topics(rule, routing);
  }
}

void RuleSet::add_topics(const Rule& rule, Routing& routing) {
  for (const std::uint32_t topic : rule.topics) {
    const auto known = std::ranges::find(routing.topics, topic);
    if (known == routing.topics.end()) routing.topics.push_back(topic);
  }
}

/// A replayed event goes to the rules that it names, or to those that want replays; of these to the
/// targets that it names, or to all.
void RuleSet::match_replayed(const EventView& event,
                             std::uint32_t position,
                             Routing& routing) const {
  const Rule& rule = rules_[position];
  const auto rules = event.replay_to.find("rules");
  const auto targets = event.replay_to.find("targets");
  const bool wanted = rules ? lists(*rules, rule.name) : rule.replay;
  if (!wanted) return;
  const std::size_t before = routing.targets.size();
  for (const std::uint32_t target : rule.targets) {
    if (!targets || lists(*targets, targets_[target].target)) routing.targets.push_back(target);
  }
  if (targets && routing.targets.size() == before) return;
  routing.rules.push_back(position);
  if (!targets) add_topics(rule, routing);
}

std::string RuleSet::listing(std::span<const std::uint64_t> matches) const {
  std::string listing;
  Packer packer(listing);
  packer.array(rules_.size());
  for (std::size_t at = 0; at < rules_.size(); ++at) {
    const Rule& rule = rules_[at];
    packer.map(7 + (rule.description.empty() ? 0U : 1U) + (matches.empty() ? 0U : 1U));
    packer.key("name").string(rule.name);
    if (!rule.description.empty()) packer.key("description").string(rule.description);
    packer.key("enabled").boolean(rule.enabled);
    packer.key("replay").boolean(rule.replay);
    if (!matches.empty()) packer.key("matches").unsigned_integer(matches[at]);
    packer.key("file").string(rule.file);
    packer.key("line").unsigned_integer(rule.line);
    packer.key("pattern").raw(rule.pattern);
    packer.key("targets").array(rule.targets.size() + rule.topics.size());
    for (const std::uint32_t target : rule.targets) append_target(packer, targets_[target]);
    for (const std::uint32_t topic : rule.topics) {
      packer.map(2).key("topic").string(topics_[topic]).key("deliver").string("at-most-once");
    }
  }
  return listing;
}

std::string RuleSet::expectation_listing() const {
  std::string listing;
  Packer packer(listing);
  packer.array(expectations_.size());
  for (const Expectation& expectation : expectations_) {
    packer.map(8).key("name").string(expectation.link.name);
    packer.key("description").string(expectation.description);
    packer.key("after").raw(expectation.after).key("expect").raw(expectation.expect);
    packer.key("within").string(format_duration(expectation.link.within));
    packer.key("by").string(expectation.link.by);
    packer.key("file").string(expectation.file);
    packer.key("line").unsigned_integer(expectation.line);
  }
  return listing;
}

std::string RuleSet::archive_listing() const {
  std::string listing;
  Packer packer(listing);
  packer.array(archives_.size());
  for (const Archive& archive : archives_) {
    const ArchiveRetention& retention = archive.link.retention;
    packer.map(7).key("name").string(archive.link.name);
    packer.key("description").string(archive.description);
    packer.key("pattern").raw(archive.pattern).key("retention-age");
    if (retention.age > Duration(0)) {
      packer.string(format_duration(retention.age));
    } else {
      packer.null();
    }
    packer.key("retention-size");
    if (retention.bytes > 0) {
      packer.unsigned_integer(retention.bytes);
    } else {
      packer.null();
    }
    packer.key("file").string(archive.file).key("line").unsigned_integer(archive.line);
  }
  return listing;
}

std::vector<std::string> RuleSet::aws_warnings() const {
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
  constexpr std::size_t kRules = 300;
  constexpr std::size_t kTargets = 5;
  constexpr std::size_t kPatternSize = 2048;
  constexpr std::size_t kWildcardRules = 30;
  std::vector<std::string> warnings;
  std::size_t wildcards = 0;
  for (const Rule& rule : rules_) {
    const std::string json = to_json(Value::trusted(rule.pattern));
    if (json.find("{\"wildcard\":") != std::string::npos) ++wildcards;
    if (json.size() > kPatternSize) {
      warnings.push_back("rule " + rule.name + ": the pattern has " + std::to_string(json.size())
                         + " characters, EventBridge allows 2048");
    }
    const std::size_t targets = rule.targets.size() + rule.topics.size();
    if (targets > kTargets) {
      warnings.push_back("rule " + rule.name + ": " + std::to_string(targets)
                         + " targets, EventBridge allows 5");
    }
  }
  if (wildcards > kWildcardRules) {
    warnings.push_back(std::to_string(wildcards) + " rules with wildcards, EventBridge allows 30");
  }
  if (rules_.size() > kRules) {
    warnings.push_back(std::to_string(rules_.size()) + " rules, EventBridge allows 300");
  }
  return warnings;
}

}  // namespace conga::bus
