// SPDX-License-Identifier: Apache-2.0
//
// AccessIndex: from a value of an event to the alternatives of rules that this value makes
// possible.
//
// Conditions that name what they want (texts, numbers, prefixes, address blocks…) are keys of one
// hash table, so that a value costs a few lookups however many rules there are. The alternatives
// behind a key are grouped by their guard, a second thing that they want: one that is not
// satisfied rules out its whole group.

#pragma once

#include "bus/rules/condition.h"
#include "common/wire/event/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::bus {

enum class KeyKind : std::uint8_t {
  Text,
  Number,
  Literal,
  Address,
  CaseText,
  Prefix,
  Suffix,
  CasePrefix,
  CaseSuffix,
};

inline constexpr std::size_t kKeyKinds = 9;

/// How the table knows a condition.
struct AccessKey {
  KeyKind kind = KeyKind::Text;
  std::string bytes;
};

/// False if `condition` is none that the table can hold.
bool access_key(const Condition& condition, AccessKey& key);

class AccessIndex {
public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Alternatives, as positions for alternatives(), that have a guard in common.
  struct Group {
    std::uint32_t guard = kNone;  ///< A predicate; kNone: there is nothing else to be satisfied.
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  class Builder;

  std::span<const std::uint32_t> alternatives(const Group& group) const {
    return std::span(alternatives_).subspan(group.begin, group.end - group.begin);
  }

  /// Those that no key leads to, and that must be looked at in every event.
  std::span<const Group> always() const { return groups(always_); }

  /// Those that no key leads to, but that need a value of `field`.
  std::span<const Group> present(std::uint32_t field) const {
    return groups(fields_[field].present);
  }

  /// Calls `visit` with the groups behind every key that `value` of `field` satisfies.
  template <class Visit>
  void probe(std::uint32_t field, const Value& value, Visit visit) const {
    const Field& keys = fields_[field];
    if (keys.kinds == 0) return;
    if (const auto text = value.string()) {
      probe_text(field, *text, visit);
    } else {
      probe_other(field, value, visit);
    }
  }

private:
  struct GroupRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  /// Which keys there are of a field.
  struct Field {
    std::uint32_t kinds = 0;    ///< A bit per KeyKind.
    std::uint32_t lengths = 0;  ///< Position in lengths_, for the kinds from CaseText on.
    GroupRange present;

    bool has(KeyKind kind) const { return (kinds >> static_cast<unsigned>(kind) & 1U) != 0; }
  };

  /// Ascending, each once.
  struct Lengths {
    std::array<std::vector<std::uint32_t>, kKeyKinds> of;
    std::vector<std::uint8_t> masks_v4;
    std::vector<std::uint8_t> masks_v6;
  };

  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t tag = kNone;  ///< Field and kind; kNone: empty.
    std::uint32_t bytes = 0;
    std::uint32_t size = 0;
    GroupRange groups;
  };

  static std::uint32_t tag_of(std::uint32_t field, KeyKind kind) {
    return field * 16 + static_cast<std::uint32_t>(kind);
  }

  static std::uint64_t hash_bytes(KeyKind kind, std::string_view bytes);
  static std::uint64_t slot_hash(std::uint32_t tag, std::uint64_t hash);

  std::span<const Group> groups(const GroupRange& range) const {
    return std::span(groups_).subspan(range.begin, range.end - range.begin);
  }

  /// Empty if there is no such key. Letters of `bytes` are lowered for the Case kinds.
  std::span<const Group> lookup(std::uint32_t field,
                                KeyKind kind,
                                std::uint64_t hash,
                                std::string_view bytes) const;
  bool same(const Slot& slot, KeyKind kind, std::string_view bytes) const;

  template <class Visit>
  void probe_text(std::uint32_t field, std::string_view text, Visit& visit) const;
  template <class Visit>
  void probe_affixes(std::uint32_t field, KeyKind kind, std::string_view text, Visit& visit) const;
  template <class Visit>
  void probe_address(std::uint32_t field, std::string_view text, Visit& visit) const;
  template <class Visit>
  void probe_other(std::uint32_t field, const Value& value, Visit& visit) const;

  std::vector<Field> fields_;
  std::vector<Lengths> lengths_;
  std::vector<Slot> slots_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> alternatives_;
  std::string bytes_;
  GroupRange always_;
};

class AccessIndex::Builder {
public:
  /// `alternative` is to be found by `key` of `field`.
  void add(std::uint32_t field,
           const AccessKey& key,
           std::uint32_t guard,
           std::uint32_t alternative);

  /// `alternative` is to be looked at whenever `field` has a value.
  void add_present(std::uint32_t field, std::uint32_t guard, std::uint32_t alternative);

  /// `alternative` is to be looked at in every event.
  void add_always(std::uint32_t guard, std::uint32_t alternative);

  AccessIndex build(std::size_t fields);

private:
  using Posting = std::pair<std::uint32_t, std::uint32_t>;  ///< Guard, alternative.
  using Postings = std::vector<Posting>;

  static GroupRange append(AccessIndex& index, Postings& postings);
  static void note_length(AccessIndex& index, Field& field, KeyKind kind, std::string_view bytes);
  static void insert(AccessIndex& index, const Slot& slot);

  std::unordered_map<std::string, Postings> keyed_;  ///< By tag (4 bytes) and key bytes.
  std::unordered_map<std::uint32_t, Postings> present_;
  Postings always_;
};

}  // namespace conga::bus

#include "bus/rules/access_index_probe.h"
