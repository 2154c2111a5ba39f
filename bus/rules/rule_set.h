// SPDX-License-Identifier: Apache-2.0
//
// RuleSet: the routing rules of a bus, read from YAML files, checked as a whole and compiled. It
// never changes: a reload makes a new one and swaps it in, or keeps the old one if there are
// faults.

#pragma once

#include "bus/rules/matcher.h"
#include "bus/sidecar/link.h"
#include "common/core/result.h"
#include "common/wire/event/event.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace conga::bus {

struct RuleFile {
  std::string name;  ///< What faults call it.
  std::string text;
};

/// Where one event goes. Kept between events, so that routing does not allocate.
struct Routing {
  std::vector<std::uint32_t> rules;    ///< Positions in RuleSet::rules(), ascending.
  std::vector<std::uint32_t> targets;  ///< Positions in RuleSet::targets(): durable.
  std::vector<std::uint32_t> topics;  ///< Positions in RuleSet::topics(): at most once. No repeats.

  /// 2n: it begins RuleSet::expectations()[n]; 2n + 1: it is what that one expects.
  std::vector<std::uint32_t> expectations;

  std::vector<std::uint32_t> archives;  ///< Positions in RuleSet::archives().

  std::vector<Matcher::RuleIndex> matches;  ///< Working memory; so the next.
  Matcher::Scratch scratch;
};

class RuleSet {
public:
  struct Rule {
    std::string name;
    std::string description;
    bool enabled = true;
    bool replay = false;  ///< Replayed events match it too.
    std::string file;
    std::size_t line = 0;
    std::string pattern;                 ///< msgpack, as written.
    std::vector<std::uint32_t> targets;  ///< Positions in targets().
    std::vector<std::uint32_t> topics;   ///< Positions in topics().
  };

  /// `after A expect B within T by KEY`.
  struct Expectation {
    LinkExpectation link;
    std::string description;
    std::string file;
    std::size_t line = 0;
    std::string after;  ///< msgpack, as written; so the next.
    std::string expect;
  };

  /// What is kept apart from the journal, and for how long.
  struct Archive {
    LinkArchive link;
    std::string description;
    std::string file;
    std::size_t line = 0;
    std::string pattern;  ///< msgpack, as written.
  };

  /// No rules at all.
  RuleSet();

  /// Permanent, code `InvalidConfig`: every fault of every file, one per line, each
  /// `file:line:column: what`.
  static Result<RuleSet> parse(std::span<const RuleFile> files);

  /// parse() of the files at `paths`, in this order. Transient if one cannot be read.
  static Result<RuleSet> load(std::span<const std::string> paths);

  /// Replaces what `routing` holds with where `event` goes.
  void match(const EventView& event, Routing& routing) const;

  const std::vector<Rule>& rules() const { return rules_; }

  /// The durable targets in the order of the files, those of disabled rules too: what is pending
  /// for them is still delivered. The positions are the link table's.
  const std::vector<LinkTarget>& targets() const { return targets_; }

  const std::vector<Expectation>& expectations() const { return expectations_; }

  const std::vector<Archive>& archives() const { return archives_; }

  /// The names of `topic:` targets, each once.
  const std::vector<std::string>& topics() const { return topics_; }

  /// For `conga rules list`: msgpack, an array with a map per rule. `matches`: how many events each
  /// rule matched, by position in rules(); empty: not told.
  std::string listing(std::span<const std::uint64_t> matches = {}) const;

  /// Likewise for expectations: an array with a map per expectation.
  std::string expectation_listing() const;

  /// Likewise for archives.
  std::string archive_listing() const;

  /// What would exceed a limit of Amazon EventBridge, one sentence each. Nothing here minds.
  std::vector<std::string> aws_warnings() const;

private:
  friend class RuleFileReader;

  static void add_topics(const Rule& rule, Routing& routing);
  void match_replayed(const EventView& event, std::uint32_t position, Routing& routing) const;

  /// What a pattern of the matcher stands for.
  struct Meaning {
    enum class Kind : std::uint8_t { Rule, Expectation, Archive };

    Kind kind = Kind::Rule;
    std::uint32_t position = 0;  ///< In rules_; as Routing::expectations has it; in archives_.
  };

  std::vector<Rule> rules_;
  std::vector<LinkTarget> targets_;
  std::vector<std::string> topics_;
  std::vector<Expectation> expectations_;
  std::vector<Archive> archives_;
  std::vector<Meaning> meanings_;  ///< By the matcher's index.
  Matcher matcher_;
};

}  // namespace conga::bus
