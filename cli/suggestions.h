// SPDX-License-Identifier: Apache-2.0
//
// Suggestions: which expectations the journal's events bear out: after A, nearly always B. Fed with
// a journal's records in order; remembers the newest events only, so that memory is bounded.

#pragma once

#include "cli/journal_reader.h"
#include "common/core/clock.h"
#include "common/core/ids.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::cli {

/// `after A expect B within T by correlation-id`.
struct Suggestion {
  std::pair<std::string, std::string> after;  ///< Source and detail-type; so the next.
  std::pair<std::string, std::string> expect;
  std::uint64_t count = 0;     ///< Of A, as far as their end can be known.
  std::uint64_t followed = 0;  ///< Of these, by a B of the same correlation id.
  Duration slowest{};
  Duration within{};  ///< Twice the slowest, rounded up.
};

class Suggestions {
public:
  /// Events from `since` on.
  void set_since(WallTime since) { since_ = since; }

  void add(const JournalEntry& entry);

  /// Of what came at least 20 times and was followed 99 times in 100.
  std::vector<Suggestion> list() const;

private:
  using Type = std::uint32_t;  ///< Position in types_.

  struct Seen {
    Type type = 0;
    Uuid cause;
    WallTime ingested;
    std::string correlation_id;
    std::vector<Type> followed_by;  ///< Each once.
  };

  struct Pair {
    std::uint64_t followed = 0;
    Duration slowest{};
  };

  Type type_of(const EventView& event);
  void credit_causes(const Seen& seen);
  void forget_oldest();

  WallTime since_;
  std::vector<std::pair<std::string, std::string>> types_;
  std::map<std::pair<std::string, std::string>, Type> numbers_;
  std::vector<std::uint64_t> counts_;  ///< By type.
  std::map<std::pair<Type, Type>, Pair> pairs_;
  std::unordered_map<Uuid, Seen> seen_;
  std::deque<Uuid> order_;  ///< Of seen_, oldest first.
};

/// As the `expectations` of a rules file.
std::string to_yaml(const std::vector<Suggestion>& suggestions);

/// An array of maps.
std::string to_json(const std::vector<Suggestion>& suggestions);

}  // namespace conga::cli
