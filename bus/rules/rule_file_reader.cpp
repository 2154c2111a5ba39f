// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/rule_file_reader.h"

#include "common/core/check.h"
#include "common/wire/event/packer.h"
#include "common/wire/topics.h"

#include <algorithm>
#include <chrono>

namespace conga::bus {
namespace {

using Kind = Document::Kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kLeastArchive = std::uint64_t{16} << 20U;
constexpr std::uint64_t kMostArchive = std::uint64_t{1} << 50U;

/// What a target says, before it is known to be of a service or of a topic.
struct TargetText {
  std::string service;
  std::string topic;
  std::string name;
  std::string ordering;
  bool at_most_once = false;
  RetryPolicy retry;
  DeliveryLimits limits;
  std::optional<WallTime> start;
};

void pack(const Document& document, Packer& packer) {
  switch (document.kind) {
    case Kind::Null:
      packer.null();
      break;
    case Kind::Boolean:
      packer.boolean(document.boolean);
      break;
    case Kind::Integer:
      packer.integer(document.integer);
      break;
    case Kind::Unsigned:
      packer.unsigned_integer(document.unsigned_integer);
      break;
    case Kind::Double:
      packer.number(document.number);
      break;
    case Kind::String:
      packer.string(document.text);
      break;
    case Kind::Array:
      packer.array(document.elements.size());
      for (const Document& element : document.elements) pack(element, packer);
      break;
    case Kind::Map:
      packer.map(document.members.size());
      for (const Document::Member& member : document.members) {
        packer.key(member.key);
        pack(member.value, packer);
      }
      break;
  }
}

std::string pack(const Document& document) {
  std::string packed;
  Packer packer(packed);
  pack(document, packer);
  return packed;
}

/// `{detail-type: [NAME]}`, standing where the name stands.
Document of_detail_type(const Document& name) {
  Document list;
  list.kind = Kind::Array;
  list.elements = {name};
  list.line = name.line;
  list.column = name.column;
  Document map;
  map.kind = Kind::Map;
  map.line = name.line;
  map.column = name.column;
  map.members.push_back(
      {.key = "detail-type", .line = name.line, .column = name.column, .value = std::move(list)});
  return map;
}

/// What every event matches: each has a source.
Document any_event() {
  const auto pattern = parse_yaml("{source: [{exists: true}]}", "every event");
  CONGA_CHECK(pattern.has_value(), "a pattern of our own can be read");
  return *pattern;
}

/// RFC 6901: empty, or parts that each begin with '/', with '~' only as "~0" and "~1".
bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  }
  return true;
}

void check_name(ConfigReader& reader,
                std::string_view key,
                std::string& into,
                const std::string& path,
                ConfigFaults& faults) {
  reader.text(key, into);
  if (into.empty() || is_valid_name(into)) return;
  faults.add(*reader.any(key),
             path + std::string(key) + ": '" + into
                 + "' is no name: 1 to 128 of A-Z a-z 0-9 . _ - are allowed");
}

void read_retry(ConfigReader retry, RetryPolicy& policy) {
  retry.integer("max-attempts", policy.max_attempts, 0, 185);
  retry.duration("max-age", policy.max_age, seconds(60), hours(24));
  ConfigReader backoff = retry.section("backoff");
  backoff.duration("initial", policy.backoff_initial, milliseconds(1), hours(1));
  backoff.number("factor", policy.backoff_factor, 1, 10);
  backoff.duration("max", policy.backoff_max, milliseconds(1), hours(24));
  backoff.choice("jitter",
                 policy.jitter,
                 {{"none", RetryPolicy::Jitter::None}, {"full", RetryPolicy::Jitter::Full}});
  backoff.finish();
  retry.finish();
}

/// A default above a written maximum must not make the file wrong.
void check_backoff(const Document& target,
                   RetryPolicy& policy,
                   const std::string& path,
                   ConfigFaults& faults) {
  if (policy.backoff_initial <= policy.backoff_max) return;
  const Document* const retry = target.find("retry");
  const Document* const backoff = retry == nullptr ? nullptr : retry->find("backoff");
  if (backoff == nullptr || backoff->find("max") == nullptr) {
    policy.backoff_max = policy.backoff_initial;
  } else if (backoff->find("initial") == nullptr) {
    policy.backoff_initial = policy.backoff_max;
  } else {
    faults.add(*backoff->find("max"),
               path + "retry.backoff.max: expected at least backoff.initial, which is "
                   + format_duration(policy.backoff_initial));
  }
}

void check_kind(const Document& document,
                const TargetText& text,
                const std::string& path,
                ConfigFaults& faults) {
  const auto written = [&document](std::string_view key) { return document.find(key); };
  if ((written("service") == nullptr) == (written("topic") == nullptr)) {
    faults.add(document, path + "service: expected either service or topic");
    return;
  }
  const Document* const deliver = written("deliver");
  if (written("service") != nullptr) {
    if (text.at_most_once) {
      faults.add(*deliver,
                 path + "deliver: a service gets what is durable; for at-most-once name a topic "
                        "and subscribe to it");
    }
    return;
  }
  if (deliver != nullptr && !text.at_most_once) {
    faults.add(*deliver, path + "deliver: a topic can only be served at-most-once");
  }
  for (const std::string_view key :
       {"retry", "ack-timeout", "ordering", "max-in-flight", "rate-limit", "batch-size", "start"}) {
    if (const Document* const value = written(key)) {
      faults.add(*value,
                 path + std::string(key) + ": a topic is served at most once, without this");
    }
  }
}

/// `latest`, `horizon`, or a time.
void read_start(ConfigReader& reader,
                std::optional<WallTime>& start,
                const std::string& path,
                ConfigFaults& faults) {
  std::string text = "latest";
  reader.text("start", text);
  if (text == "latest") return;
  if (text == "horizon") {
    start = kHorizon;
    return;
  }
  const auto time = parse_rfc3339(text);
  if (time) {
    start = *time;
    return;
  }
  faults.add(*reader.any("start"),
             path + "start: expected latest, horizon (all that the journal holds) or a time such as "
                    "2026-11-23T06:00:00Z");
}

TargetText read_target(const Document& document, const std::string& path, ConfigFaults& faults) {
  TargetText text;
  ConfigReader reader(document, path, faults);
  check_name(reader, "service", text.service, path, faults);
  check_name(reader, "topic", text.topic, path, faults);
  check_name(reader, "name", text.name, path, faults);
  read_retry(reader.section("retry"), text.retry);
  reader.duration("ack-timeout", text.retry.ack_timeout, milliseconds(100), hours(1));
  reader.integer("max-in-flight", text.limits.max_in_flight, 1, 1'000'000);
  reader.integer("rate-limit", text.limits.rate, 1, 100'000);
  reader.integer("batch-size", text.limits.batch, 1, 10'000);
  reader.text("ordering", text.ordering);
  if (!is_json_pointer(text.ordering)) {
    faults.add(*document.find("ordering"),
               path + "ordering: expected a JSON pointer such as /detail/booking-id");
  }
  read_start(reader, text.start, path, faults);
  reader.choice("deliver", text.at_most_once, {{"at-least-once", false}, {"at-most-once", true}});
  reader.finish();
  if (document.kind == Kind::Map) {
    check_kind(document, text, path, faults);
    check_backoff(document, text.retry, path, faults);
  }
  return text;
}

}  // namespace

void RuleFileReader::read(const RuleFile& file) {
  const auto document = parse_yaml(file.text, file.name);
  const auto note = [this](const std::string& what) {
    if (!faults_.empty()) faults_ += '\n';
    faults_ += what;
  };
  if (!document) return note(document.error().what);
  ConfigFaults faults(file.name);
  ConfigReader reader(*document, "", faults);
  reader.require("rules");
  for (const Document& one : reader.list("rules")) rule(one, faults);
  for (const Document& one : reader.list("expectations")) expectation(one, faults);
  for (const Document& one : reader.list("archives")) archive(one, faults);
  reader.finish();
  if (!faults.empty()) note(faults.error().what);
}

Result<RuleSet> RuleFileReader::finish() {
  if (!faults_.empty()) return fail(Fault::Permanent, std::move(faults_), "InvalidConfig");
  rules_.matcher_ = Matcher::compile(patterns_);
  return std::move(rules_);
}

void RuleFileReader::rule(const Document& document, ConfigFaults& faults) {
  const auto position = static_cast<std::uint32_t>(rules_.rules_.size());
  RuleSet::Rule& rule = rules_.rules_.emplace_back();
  rule.file = faults.file();
  rule.line = document.line;
  std::string path = "rules[" + std::to_string(position) + "].";
  ConfigReader reader(document, path, faults);
  check_name(reader, "name", rule.name, path, faults);
  if (!rule.name.empty()) path = "rule " + rule.name + ": ";
  reader.text("description", rule.description);
  reader.boolean("enabled", rule.enabled);
  reader.boolean("replay", rule.replay);
  const Document* const found = reader.any("pattern");
  const std::vector<Document>& targets = reader.list("targets");
  for (const std::string_view key : {"name", "pattern", "targets"}) reader.require(key);
  reader.finish();
  name(document, "rule", rule.name, faults);
  if (found != nullptr) {
    rule.pattern = pack(*found);
    auto read = pattern(*found, rule.name.empty() ? "" : "rule " + rule.name + ": ", faults);
    if (read && rule.enabled) {
      add_pattern(std::move(*read), RuleSet::Meaning::Kind::Rule, position);
    }
  }
  const Document* const list = document.find("targets");
  if (list != nullptr && list->kind == Kind::Array && targets.empty()) {
    faults.add(*list, path + "targets: expected at least one target");
  }
  for (std::size_t index = 0; index < targets.size(); ++index) {
    target(targets[index], path + "targets[" + std::to_string(index) + "].", rule, faults);
  }
}

/// `after` and `expect` are patterns, or the name of a detail-type.
void RuleFileReader::expectation(const Document& document, ConfigFaults& faults) {
  const std::size_t position = rules_.expectations_.size();
  RuleSet::Expectation& expectation = rules_.expectations_.emplace_back();
  expectation.file = faults.file();
  expectation.line = document.line;
  std::string path = "expectations[" + std::to_string(position) + "].";
  ConfigReader reader(document, path, faults);
  check_name(reader, "name", expectation.link.name, path, faults);
  if (!expectation.link.name.empty()) path = "expectation " + expectation.link.name + ": ";
  reader.text("description", expectation.description);
  reader.duration("within", expectation.link.within, milliseconds(1), hours(24 * 7));
  expectation.link.by = "/correlation-id";
  reader.text("by", expectation.link.by);
  const Document* const after = reader.any("after");
  const Document* const expect = reader.any("expect");
  for (const std::string_view key : {"name", "after", "expect", "within"}) reader.require(key);
  reader.finish();
  name(document, "expectation", expectation.link.name, faults);
  if (!expectation.link.by.starts_with('/')) expectation.link.by = "/detail/" + expectation.link.by;
  if (!is_json_pointer(expectation.link.by)) {
    faults.add(*document.find("by"),
               path + "by: expected a key of detail, or a JSON pointer such as /detail/order-id");
  }
  if (after != nullptr) watch(*after, path + "after: ", true, expectation.after, faults);
  if (expect != nullptr) watch(*expect, path + "expect: ", false, expectation.expect, faults);
}

void RuleFileReader::watch(const Document& document,
                           const std::string& what,
                           bool begins,
                           std::string& text,
                           ConfigFaults& faults) {
  const Document written = document.kind == Kind::String ? of_detail_type(document) : document;
  text = pack(written);
  auto read = pattern(written, what, faults);
  if (!read) return;
  const std::size_t position = rules_.expectations_.size() - 1;
  add_pattern(
      std::move(*read), RuleSet::Meaning::Kind::Expectation, 2 * position + (begins ? 0 : 1));
}

void RuleFileReader::archive(const Document& document, ConfigFaults& faults) {
  const std::size_t position = rules_.archives_.size();
  RuleSet::Archive& archive = rules_.archives_.emplace_back();
  archive.file = faults.file();
  archive.line = document.line;
  std::string path = "archives[" + std::to_string(position) + "].";
  ConfigReader reader(document, path, faults);
  check_name(reader, "name", archive.link.name, path, faults);
  if (!archive.link.name.empty()) path = "archive " + archive.link.name + ": ";
  reader.text("description", archive.description);
  ArchiveRetention& retention = archive.link.retention;
  reader.duration("retention-age", retention.age, minutes(1), hours(24 * 3650));
  reader.bytes("retention-size", retention.bytes, kLeastArchive, kMostArchive);
  const Document* const found = reader.any("pattern");
  reader.require("name");
  reader.finish();
  name(document, "archive", archive.link.name, faults);
  if (archive.link.name.starts_with('.')) {
    faults.add(*document.find("name"),
               path + "name: must not begin with '.', for a folder has this name");
  }
  const Document written = found == nullptr ? any_event() : *found;
  archive.pattern = pack(written);
  auto read = pattern(written, path, faults);
  if (read) add_pattern(std::move(*read), RuleSet::Meaning::Kind::Archive, position);
}

void RuleFileReader::add_pattern(Pattern pattern,
                                 RuleSet::Meaning::Kind kind,
                                 std::size_t position) {
  patterns_.push_back(std::move(pattern));
  rules_.meanings_.push_back({.kind = kind, .position = static_cast<std::uint32_t>(position)});
}

void RuleFileReader::name(const Document& document,
                          std::string_view kind,
                          const std::string& name,
                          ConfigFaults& faults) {
  if (name.empty()) return;
  const Document& where = *document.find("name");
  const auto [known, added] = named_.try_emplace(
      std::string(kind) + " " + name,
      faults.file() + ":" + std::to_string(where.line) + ":" + std::to_string(where.column));
  if (added) return;
  faults.add(where,
             "name: " + std::string(kind == "rule" ? "a " : "an ") + std::string(kind) + " '" + name
                 + "' is already at " + known->second);
}

std::optional<Pattern> RuleFileReader::pattern(const Document& document,
                                               const std::string& what,
                                               ConfigFaults& faults) {
  std::vector<PatternFault> found;
  auto pattern = Pattern::parse(document, found);
  for (const PatternFault& fault : found) {
    const std::string prefix = what + "pattern";
    faults.add(
        fault.line, fault.column, prefix + (fault.path.empty() ? ": " : " at ") + fault.text());
  }
  if (!pattern) return std::nullopt;
  return std::move(*pattern);
}

void RuleFileReader::target(const Document& document,
                            const std::string& path,
                            RuleSet::Rule& rule,
                            ConfigFaults& faults) {
  TargetText text = read_target(document, path, faults);
  if (!text.topic.empty()) return add_topic(text.topic, rule);
  if (text.name.empty()) text.name = text.service;
  for (const std::uint32_t other : rule.targets) {
    if (text.name.empty() || rules_.targets_[other].target != text.name) continue;
    faults.add(document,
               path + "name: the rule has a target '" + text.name
                   + "' already; give each a name of its own");
  }
  rule.targets.push_back(static_cast<std::uint32_t>(rules_.targets_.size()));
  rules_.targets_.push_back({.rule = rule.name,
                             .target = std::move(text.name),
                             .service = std::move(text.service),
                             .retry = text.retry,
                             .ordering = std::move(text.ordering),
                             .limits = text.limits,
                             .start = text.start});
}

void RuleFileReader::add_topic(const std::string& topic, RuleSet::Rule& rule) {
  const auto found = std::ranges::find(rules_.topics_, topic);
  const auto position = static_cast<std::uint32_t>(found - rules_.topics_.begin());
  if (found == rules_.topics_.end()) rules_.topics_.push_back(topic);
  if (std::ranges::find(rule.topics, position) == rule.topics.end()) {
    rule.topics.push_back(position);
  }
}

}  // namespace conga::bus
